// Package apply plans and carries out what makes an account match a document.
//
//   - item.go: rules and integrations as the planning sees them
//   - read.go: the document as people wrote it
//   - match.go, plan.go: the planning, without a network
//   - print.go: the plan as a person reads it
//   - execute.go, report.go: the plan as calls of the API, and what became of them
package apply

import (
	"encoding/json"
	"fmt"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

// A kind is what an item is.
type kind string

const (
	integration kind = "integration"
	rule        kind = "rule"
)

// An item is a rule or an integration, of the account or of the document.
type item struct {
	kind        kind
	id          string // in the account; "" where the account doesn't have it yet
	name        string
	typ         string
	rule        *cfposture.Rule        // nil for an integration
	integration *cfposture.Integration // nil for a rule

	// What follows is that of the document's items.

	written    string            // the ID that the document gives
	connection string            // of a rule: the integration that it names, by an ID or a name
	uses       *item             // of a rule: the document's integration that it names
	fromEnv    map[string]string // of an integration: its config's members that are taken from variables
	unset      map[string]string // of an integration: its secrets whose variables are not set
}

func ruleItem(r *cfposture.Rule) *item {
	return &item{kind: rule, id: r.ID, name: r.Name, typ: string(r.Type), rule: r, connection: connectionOf(r)}
}

func integrationItem(i *cfposture.Integration) *item {
	return &item{kind: integration, id: i.ID, name: i.Name, typ: string(i.Type), integration: i}
}

// String returns what a person calls the item.
func (i *item) String() string {
	return fmt.Sprintf("%s %s (%s)", i.kind, terminal.Quote(i.name), terminal.Clean(i.typ))
}

// A key is what an item is matched by where no ID tells.
type key struct {
	kind      kind
	name, typ string
}

func (i *item) key() key { return key{i.kind, i.name, i.typ} }

// A state is what an account has, or what a document wants it to have.
type state struct {
	integrations, rules []*item
	// A document that has no list of integrations or of rules, not even an empty one, says nothing about them.
	noIntegrations, noRules bool
}

func accountState(integrations []*cfposture.Integration, rules []*cfposture.Rule) *state {
	s := new(state)
	for _, i := range integrations {
		s.integrations = append(s.integrations, integrationItem(i))
	}
	for _, r := range rules {
		s.rules = append(s.rules, ruleItem(r))
	}
	return s
}

const connectionID = "connection_id"

// connectionOf returns the ID of the integration that a rule names, in an input of an unknown type, too.
func connectionOf(r *cfposture.Rule) string {
	if unknown, ok := r.Input.(*cfposture.UnknownInput); ok {
		var input struct {
			ConnectionID string `json:"connection_id"`
		}
		_ = json.Unmarshal(unknown.Raw, &input) // What can't be read names none.
		return input.ConnectionID
	}
	return cfposture.ConnectionID(r.Input)
}

// connect makes a rule name an integration.
func connect(r *cfposture.Rule, id string) {
	if cfposture.SetConnectionID(r.Input, id) {
		return
	}
	if unknown, ok := r.Input.(*cfposture.UnknownInput); ok {
		if raw, err := withMember(unknown.Raw, connectionID, id); err == nil {
			r.Input = &cfposture.UnknownInput{Type: unknown.Type, Raw: raw, Reason: unknown.Reason}
		}
	}
}

// withMember returns a JSON object with a member set.
func withMember(object json.RawMessage, name string, value any) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	members[name] = text
	return json.Marshal(members)
}
