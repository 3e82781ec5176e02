package cfposture

import (
	"github.com/cfposture/cfposture/internal/check"
	"github.com/cfposture/cfposture/internal/variant"
	"github.com/cfposture/cfposture/internal/wire"
)

// ParseRule reads a rule that a person wrote as JSON. It is strict; [json.Unmarshal] and the calls, which read what the API
// sends, are not. Its [*ValidationError] lists all problems: members that this package has no field for, each with the one
// that was probably meant, an unknown type, values that don't fit, and all that Validate finds.
//
// Members that are listed in allow, such as "input.flavor" or "match.later", may be there without a field. "*" stands
// for all of them, and for every type. A value that doesn't fit its field is always an error.
func ParseRule(data []byte, allow ...string) (*Rule, error) {
	d, r := wire.NewDocument(data, allow, ""), new(Rule)
	if text := d.Decode("", d.Text, r.decode); text != "" {
		r.Input = parseInput(d, "input", r.Type, text)
	}
	check.Type(d, "rule", r.Type, ruleTypes)
	d.CheckUnknowns(r.unknowns(), map[string]string{"": "a rule", "input": string(r.Type)})
	return parsed(d, r, r.subject(), r.validate)
}

// ParseInput reads the input of a rule of the given type, as strictly as [ParseRule]. Paths are relative to the input;
// those in allow may also begin with "input.".
func ParseInput(t RuleType, data []byte, allow ...string) (DeviceInput, error) {
	d := wire.NewDocument(data, allow, "input.")
	input := parseInput(d, "", t, d.Text)
	check.Type(d, "rule", t, ruleTypes)
	d.CheckUnknowns(wire.Unknowns(input, "", nil), map[string]string{"": string(t)})
	return parsed(d, input, check.Subject("input", "", t), input.validate)
}

// ParseIntegration reads an integration that a person wrote, as strictly as [ParseRule]. Secrets must not be missing,
// because Create requires them.
func ParseIntegration(data []byte, allow ...string) (*Integration, error) {
	d, i := wire.NewDocument(data, allow, ""), new(Integration)
	if text := d.Decode("", d.Text, i.decode); text != "" {
		i.Config = parseConfig(d, "config", i.Type, text)
	}
	check.Type(d, "integration", i.Type, integrationTypes)
	d.CheckUnknowns(i.unknowns(), map[string]string{"": "an integration", "config": string(i.Type)})
	return parsed(d, i, i.subject(), i.validate)
}

// ParseConfig reads the config of an integration of the given type, as strictly as [ParseIntegration]. Paths are relative
// to the config; those in allow may also begin with "config.".
func ParseConfig(t IntegrationType, data []byte, allow ...string) (IntegrationConfig, error) {
	d := wire.NewDocument(data, allow, "config.")
	config := parseConfig(d, "", t, d.Text)
	check.Type(d, "integration", t, integrationTypes)
	d.CheckUnknowns(wire.Unknowns(config, "", nil), map[string]string{"": string(t)})
	return parsed(d, config, check.Subject("config", "", t), config.validate)
}

// parsed returns the value, or an error that has what is wrong with the document and what validate finds beyond that.
func parsed[T any](d *wire.Document, value T, subject string, validate func(p *check.Problems)) (T, error) {
	if err := invalid(func() string { return subject }, check.Document(d, validate)); err != nil {
		var none T
		return none, err
	}
	return value, nil
}

// UnknownMembers returns the paths of the members that this package has no field for, such as input.flavor and
// match[0].later, in alphabetical order.
func (r *Rule) UnknownMembers() []string { return variant.Paths(r.unknowns()) }

// UnknownMembers returns the paths of the members that this package has no field for, such as config.region, in
// alphabetical order.
func (i *Integration) UnknownMembers() []string { return variant.Paths(i.unknowns()) }
