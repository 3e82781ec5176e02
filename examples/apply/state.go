package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
)

// An object is a JSON object; its numbers are json.Number, so that they keep their digits.
type object = map[string]any

// A kind is what an item is.
type kind string

const (
	integration kind = "integration"
	rule        kind = "rule"
)

// inner is the member that holds what is special about an item's type.
func (k kind) inner() string {
	if k == integration {
		return "config"
	}
	return "input"
}

// An item is a rule or an integration, of the account or of the document.
type item struct {
	kind    kind
	id      string // of an item of the document: the account's, "" until it has one
	name    string
	typ     string
	members object // without id

	unknown      []string // members that cfposture has no field for
	unknownInner []string // likewise, of the input or config

	written string            // an item of the document: the ID that the document gives it
	uses    *item             // a rule of the document: the integration of the document that it names
	fromEnv map[string]string // an integration of the document: its config's members that are taken from variables
	unset   map[string]string // likewise: those whose variable is not set
}

// String returns what a person calls the item.
func (i *item) String() string {
	return fmt.Sprintf("%s %s (%s)", i.kind, cli.Quote(i.name), cli.Clean(i.typ))
}

// innerMembers returns the members of the input or config; nil if there is none, or if it is no object.
func (i *item) innerMembers() object {
	inner, _ := i.members[i.kind.inner()].(object)
	return inner
}

// connection returns what a rule gives as its connection_id.
func (i *item) connection() string {
	id, _ := i.innerMembers()[connectionID].(string)
	return id
}

const connectionID = "connection_id"

// A state is what an account has, or what a document wants it to have.
type state struct {
	integrations, rules     []*item
	noIntegrations, noRules bool // a document: it has no such list, not even an empty one
}

func accountState(integrations []*cfposture.Integration, rules []*cfposture.Rule) (*state, error) {
	s := new(state)
	for _, from := range integrations {
		i, err := itemOf(integration, from)
		if err != nil {
			return nil, err
		}
		i.unknown, i.unknownInner = unknownMembers(from), unknownMembers(from.Config)
		s.integrations = append(s.integrations, i)
	}
	for _, from := range rules {
		i, err := itemOf(rule, from)
		if err != nil {
			return nil, err
		}
		i.unknown, i.unknownInner = unknownMembers(from), unknownMembers(from.Input)
		s.rules = append(s.rules, i)
	}
	return s, nil
}

// documentState reads a document. What is wrong with it is one error that names everything.
func documentState(document *cli.Document, getenv func(string) string) (*state, error) {
	s := &state{noIntegrations: document.Integrations == nil, noRules: document.Rules == nil}
	var problems problems
	for n, raw := range document.Integrations {
		i, err := readIntegration(raw, getenv)
		if err != nil {
			problems.addf("integrations[%d]: %w", n, err)
			continue
		}
		s.integrations = append(s.integrations, i)
	}
	for n, raw := range document.Rules {
		// What is compared is what would be sent, so every rule takes the way through its Go type.
		i, err := readItem(rule, raw, new(cfposture.Rule))
		if err != nil {
			problems.addf("rules[%d]: %w", n, err)
			continue
		}
		s.rules = append(s.rules, i)
	}
	return s, problems.err()
}

func readItem(k kind, raw []byte, into any) (*item, error) {
	if err := json.Unmarshal(raw, into); err != nil {
		return nil, err
	}
	i, err := itemOf(k, into)
	if err != nil {
		return nil, err
	}
	if i.typ == "" {
		return nil, fmt.Errorf("the %s %s has no type", k, cli.Quote(i.name))
	}
	i.written, i.id = i.id, ""
	return i, nil
}

func readIntegration(raw []byte, getenv func(string) string) (*item, error) {
	members, err := decode(raw)
	if err != nil {
		return nil, err
	}
	fromEnv, unset := map[string]string{}, map[string]string{}
	config, _ := members["config"].(object)
	for member, value := range config {
		variable, ok := reference(value)
		if !ok {
			continue
		}
		fromEnv[member] = variable
		if config[member] = getenv(variable); config[member] == "" {
			delete(config, member)
			unset[member] = variable
			if !isSecret(member) {
				return nil, fmt.Errorf("the integration %s takes config.%s from $%s, which is not set",
					cli.Quote(fmt.Sprint(members["name"])), member, variable)
			}
		}
	}
	if raw, err = json.Marshal(members); err != nil {
		return nil, err
	}
	i, err := readItem(integration, raw, new(cfposture.Integration))
	if err != nil {
		return nil, err
	}
	i.fromEnv, i.unset = fromEnv, unset
	return i, nil
}

// reference returns the name in {"$env": "NAME"}.
func reference(value any) (variable string, ok bool) {
	members, _ := value.(object)
	variable, ok = members["$env"].(string)
	return variable, ok && len(members) == 1
}

// isSecret goes by the member's name, so that the config of a type this program doesn't know is safe as well.
func isSecret(member string) bool {
	for _, word := range []string{"secret", "key", "token", "password"} {
		if strings.Contains(strings.ToLower(member), word) {
			return true
		}
	}
	return false
}

// itemOf makes an item of an *Integration or a *Rule.
func itemOf(k kind, from any) (*item, error) {
	raw, err := json.Marshal(from)
	if err != nil {
		return nil, err
	}
	members, err := decode(raw)
	if err != nil {
		return nil, err
	}
	i := &item{kind: k, members: members}
	i.id, _ = members["id"].(string)
	i.name, _ = members["name"].(string)
	i.typ, _ = members["type"].(string)
	delete(members, "id")
	return i, nil
}

func decode(raw []byte) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var members object
	if err := decoder.Decode(&members); err != nil {
		return nil, err
	}
	if members == nil {
		return nil, errors.New("it is no object")
	}
	return members, nil
}

// unknownMembers returns the names in the Extra of a rule, an integration, an input or a config; an unknown input or
// config has no Extra, and nothing in it is left to the API.
func unknownMembers(of any) []string {
	v := reflect.ValueOf(of)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return nil
	}
	extra := v.Elem().FieldByName("Extra")
	if !extra.IsValid() {
		return nil
	}
	var names []string
	for _, name := range extra.MapKeys() {
		names = append(names, name.String())
	}
	return names
}
