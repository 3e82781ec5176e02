package cfposture

import (
	"encoding/json"
	"fmt"

	"github.com/cfposture/cfposture/internal/wire"
)

// ParseRule reads a rule that a person wrote, as JSON. It is strict, whereas [json.Unmarshal] and the calls, which read
// what the API sends, are not. It returns a [*ValidationError] that names everything that is wrong: members that this
// package has no field for, with the one that was probably meant, a type that it doesn't know, values that don't fit, and
// all that Validate finds.
//
// Members that are listed in allow, such as "input.flavor" or "match.later", may be there without a field. "*" stands
// for all of them, and for every type. A value that doesn't fit its field is always an error.
func ParseRule(data []byte, allow ...string) (*Rule, error) {
	d, r := wire.NewDocument(data, allow, ""), new(Rule)
	if text := d.Decode("", d.Text, r.decode); text != "" {
		r.Input = parseInput(d, "input", r.Type, text)
	}
	checkType(d, "rule", r.Type, ruleTypes)
	d.CheckUnknowns(r.unknowns(), map[string]string{"": "a rule", "input": string(r.Type)})
	return parsed(d, r, r.subject(), r.validate)
}

// ParseInput is [ParseRule] for the input of a rule of the given type. Paths begin within the input; those in allow may
// also begin with "input.".
func ParseInput(t RuleType, data []byte, allow ...string) (DeviceInput, error) {
	d := wire.NewDocument(data, allow, "input.")
	input := parseInput(d, "", t, d.Text)
	checkType(d, "rule", t, ruleTypes)
	d.CheckUnknowns(wire.Unknowns(input, "", nil), map[string]string{"": string(t)})
	return parsed(d, input, subject("input", "", t), input.validate)
}

func parseInput(d *wire.Document, path string, t RuleType, text string) DeviceInput {
	input := newInput(t)
	if input == nil {
		return &UnknownInput{t, json.RawMessage(text), noType("rule", string(t))}
	}
	d.Decode(path, text, input.(members).decode)
	return input
}

// ParseIntegration is [ParseRule] for an integration. Because Create requires them, secrets must not be missing.
func ParseIntegration(data []byte, allow ...string) (*Integration, error) {
	d, i := wire.NewDocument(data, allow, ""), new(Integration)
	if text := d.Decode("", d.Text, i.decode); text != "" {
		i.Config = parseConfig(d, "config", i.Type, text)
	}
	checkType(d, "integration", i.Type, integrationTypes)
	d.CheckUnknowns(i.unknowns(), map[string]string{"": "an integration", "config": string(i.Type)})
	return parsed(d, i, i.subject(), i.validate)
}

// ParseConfig is [ParseIntegration] for the config of an integration of the given type. Paths begin within the config;
// those in allow may also begin with "config.".
func ParseConfig(t IntegrationType, data []byte, allow ...string) (IntegrationConfig, error) {
	d := wire.NewDocument(data, allow, "config.")
	config := parseConfig(d, "", t, d.Text)
	checkType(d, "integration", t, integrationTypes)
	d.CheckUnknowns(wire.Unknowns(config, "", nil), map[string]string{"": string(t)})
	return parsed(d, config, subject("config", "", t), config.validate)
}

func parseConfig(d *wire.Document, path string, t IntegrationType, text string) IntegrationConfig {
	config := newConfig(t)
	if config == nil {
		return &UnknownConfig{t, json.RawMessage(text), noType("integration", string(t))}
	}
	d.Decode(path, text, config.(members).decode)
	return config
}

// checkType checks that a type is known, or that every type is allowed.
func checkType[T ~string](d *wire.Document, noun string, t T, known []T) {
	names := make([]string, len(known))
	for i := range known {
		if known[i] == t {
			return
		}
		names[i] = string(known[i])
	}
	if t != "" && !d.Allows("*") {
		d.Add("type", fmt.Sprintf("%q is not a type of %s%s", string(t), noun, wire.DidYouMean(string(t), names)))
	}
}

// parsed returns the value, or an error that has what is wrong with the document and what validate finds beyond that.
func parsed[T any](d *wire.Document, value T, subject string, validate func(p *problems)) (T, error) {
	p := new(problems)
	for _, err := range d.Wrong {
		p.add(err.Member, err.Reason)
	}
	found := &problems{missingSecret: "is required"}
	validate(found)
	for _, problem := range found.list {
		if !d.IsWrong(problem.Field) {
			p.list = append(p.list, problem)
		}
	}
	if err := p.err(subject); err != nil {
		var none T
		return none, err
	}
	return value, nil
}

// UnknownMembers returns the paths of the members that this package has no field for, such as input.flavor and
// match[0].later, in alphabetical order.
func (r *Rule) UnknownMembers() []string { return paths(r.unknowns()) }

func (r *Rule) unknowns() []wire.Unknown { return wire.Unknowns(r, "input", orNil(r.Input)) }

// UnknownMembers returns the paths of the members that this package has no field for, such as config.region, in
// alphabetical order.
func (i *Integration) UnknownMembers() []string { return paths(i.unknowns()) }

func (i *Integration) unknowns() []wire.Unknown { return wire.Unknowns(i, "config", orNil(i.Config)) }

func paths(unknowns []wire.Unknown) []string {
	found := make([]string, len(unknowns))
	for i := range unknowns {
		found[i] = unknowns[i].Path()
	}
	return found
}
