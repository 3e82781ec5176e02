package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

// A reader reads the items of a document.
type reader struct {
	options  Options
	allow    []string        // members to let pass
	asIs     map[string]bool // IDs of items that export didn't understand
	problems problems
}

// readDocument returns what a document wants. What is wrong with it is one error that names everything.
func readDocument(d *document.Document, o Options) (*state, error) {
	r := &reader{options: o, asIs: map[string]bool{}}
	if o.AllowUnknown {
		r.allow = append(r.allow, "*")
	}
	if d.Unknown != nil {
		r.allow = append(r.allow, d.Unknown.Members...)
		for _, id := range d.Unknown.Items {
			r.asIs[id] = true
		}
	}
	s := &state{noIntegrations: d.Integrations == nil, noRules: d.Rules == nil}
	for n, raw := range d.Integrations {
		i, err := r.integration(raw)
		if err != nil {
			r.problems.addf("integrations[%d]: %w", n, err)
			continue
		}
		s.integrations = append(s.integrations, i)
	}
	for n, raw := range d.Rules {
		i, err := r.rule(raw)
		if err != nil {
			r.problems.addf("rules[%d]: %w", n, err)
			continue
		}
		s.rules = append(s.rules, i)
	}
	return s, r.problems.err()
}

// notYet stands for an ID that isn't known yet.
const notYet = "00000000-0000-0000-0000-000000000000"

// rule reads a rule, whose connection_id may be a name.
func (r *reader) rule(raw json.RawMessage) (*item, error) {
	var members struct {
		ID    string          `json:"id"`
		Input json.RawMessage `json:"input"`
	}
	var input struct {
		ConnectionID string `json:"connection_id"`
	}
	// What doesn't fit is ParseRule's to tell.
	_ = json.Unmarshal(raw, &members)
	_ = json.Unmarshal(members.Input, &input)
	if input.ConnectionID != "" {
		named, err := withMember(members.Input, connectionID, notYet)
		if err != nil {
			return nil, err
		}
		if raw, err = withMember(raw, "input", named); err != nil {
			return nil, err
		}
	}
	parsed, err := cfposture.ParseRule(raw, r.allow...)
	if err = withoutMissing(err); err == nil && parsed == nil || err != nil && r.asIs[members.ID] {
		parsed = new(cfposture.Rule)
		err = json.Unmarshal(raw, parsed)
	}
	if err != nil {
		return nil, err
	}
	i := ruleItem(parsed)
	i.written, i.id, i.connection = i.id, "", input.ConnectionID
	return i, nil
}

// integration reads an integration, whose config may take values from the environment and lack its secrets.
func (r *reader) integration(raw json.RawMessage) (*item, error) {
	var members struct {
		ID     string                     `json:"id"`
		Name   string                     `json:"name"`
		Type   cfposture.IntegrationType  `json:"type"`
		Config map[string]json.RawMessage `json:"config"`
	}
	_ = json.Unmarshal(raw, &members) // What doesn't fit is ParseIntegration's to tell.
	secrets := cfposture.Secrets(cfposture.NewConfig(members.Type))
	fromEnv, unset := map[string]string{}, map[string]string{}
	for _, member := range slices.Sorted(maps.Keys(members.Config)) {
		variable, err := reference(members.Config[member])
		if err != nil {
			return nil, fmt.Errorf("the integration %s: config.%s %w", terminal.Quote(members.Name), member, err)
		}
		if variable == "" {
			continue
		}
		value, err := r.getenv(variable, isSecret(member, secrets))
		if err != nil {
			return nil, fmt.Errorf("the integration %s: config.%s takes $%s, %w", terminal.Quote(members.Name), member, terminal.Clean(variable), err)
		}
		fromEnv[member] = variable
		if value == "" {
			unset[member] = variable
			delete(members.Config, member)
			continue
		}
		members.Config[member], _ = json.Marshal(value) // A string can always be encoded.
	}
	if members.Config != nil {
		var err error
		if raw, err = withMember(raw, "config", members.Config); err != nil {
			return nil, err
		}
	}
	parsed, err := cfposture.ParseIntegration(raw, r.allow...)
	if err = withoutMissing(err); err == nil && parsed == nil || err != nil && r.asIs[members.ID] {
		parsed = new(cfposture.Integration)
		err = json.Unmarshal(raw, parsed)
	}
	if err != nil {
		return nil, err
	}
	i := integrationItem(parsed)
	i.written, i.id, i.fromEnv, i.unset = i.id, "", fromEnv, unset
	return i, nil
}

// withoutMissing ignores an error that names nothing but members which an input or a config lacks: responses of the API
// have no secrets and may lack other members as well, and so does an export. Whether they are needed, the plan tells.
func withoutMissing(err error) error {
	var invalid *cfposture.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	other := func(p cfposture.Problem) bool {
		return !isInner(p.Field) || !strings.HasPrefix(p.Reason, "is required")
	}
	if slices.ContainsFunc(invalid.Problems, other) {
		return err
	}
	return nil
}

// isInner reports whether a member is an input or a config, or one in it.
func isInner(path string) bool {
	outer, _, _ := strings.Cut(path, ".")
	return outer == "input" || outer == "config"
}

// getenv returns a variable's value, or why a document may not have it: whoever wrote the document need not be trusted
// with the whole environment.
func (r *reader) getenv(variable string, secret bool) (string, error) {
	switch value := r.options.Getenv(variable); {
	case strings.HasPrefix(strings.ToUpper(variable), "CLOUDFLARE_"):
		return "", errors.New("which may not leave this machine: it is for the API itself")
	case secret:
		return value, nil
	case !slices.Contains(r.options.Env, variable):
		return "", fmt.Errorf("and only secrets may do that: give --env %s if it is meant", terminal.Clean(variable))
	case value == "":
		return "", errors.New("which is not set")
	default:
		return value, nil
	}
}

// reference returns the name in {"$env": "NAME"}, or "" for any other value.
func reference(value json.RawMessage) (variable string, err error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(value, &members) != nil || members["$env"] == nil {
		return "", nil
	}
	if json.Unmarshal(members["$env"], &variable) != nil || variable == "" || len(members) > 1 {
		return "", errors.New(`is no reference to a variable: write {"$env": "NAME"}`)
	}
	return variable, nil
}

// isSecret goes by the library's fields, and by the name where a type is unknown.
func isSecret(member string, secrets map[string]*cfposture.Secret) bool {
	if len(secrets) > 0 {
		return secrets[member] != nil
	}
	return slices.ContainsFunc([]string{"secret", "key", "token", "password"}, func(word string) bool {
		return strings.Contains(strings.ToLower(member), word)
	})
}

// problems are what keeps a document from being applied.
type problems []error

func (p *problems) addf(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

// err returns all problems as one error, which is printed with a line for each.
func (p *problems) err() error {
	if len(*p) == 0 {
		return nil
	}
	return errors.Join(append([]error{errors.New("the document can't be applied")}, *p...)...)
}
