package posturetest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// Integrations returns the integrations that s holds, as JSON and without their secrets, in the order of their
// creation.
func (s *Server) Integrations() []json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held.integrations.all()
}

// AddIntegration is [Server.AddRule] for integrations. Secrets in its config are left out, as everywhere.
func (s *Server) AddIntegration(raw []byte) (id string) {
	mustBeJSON("AddIntegration", raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held.integrations.add(withoutSecrets(raw))
}

func newIntegrations(a *account) *collection {
	return &collection{
		noun:         "device posture integration",
		changeMethod: http.MethodPatch,
		build:        buildIntegration,
		usedBy:       a.ruleThatUses,
		deleted:      func(string) json.RawMessage { return json.RawMessage("null") },
		items:        map[string]json.RawMessage{},
	}
}

// buildIntegration makes an integration of what a POST sent, or of the old one and what a PATCH sent.
func buildIntegration(old, sent object) (object, []message) {
	sent.dropNulls(apifacts.IntegrationMembers)
	members := apifacts.IntegrationMembers
	if old != nil { // what a PATCH leaves out stays, so there is nothing to check about it
		members = slices.DeleteFunc(slices.Clone(members), func(m apifacts.Member) bool { return !sent.has(m.Name) })
	}
	problems := check("", sent, members)
	typeName := sent.text("type")
	if was := old.text("type"); was != "" {
		if typeName != "" && typeName != was {
			problems = append(problems, invalid("/type", "the type of an integration can't be changed from "+was))
		}
		typeName = was
	}
	if config, ok := decodeObject(sent["config"]); ok {
		problems = append(problems, checkConfig(typeName, config)...)
		config.dropSecrets() // that they were given is all that ever matters of them here
		sent["config"] = config.encode()
	}
	if problems != nil {
		return nil, problems
	}

	integration := object{}
	maps.Copy(integration, old)
	maps.Copy(integration, sent)
	return integration, nil
}

// checkConfig says what is wrong with a config.
func checkConfig(integrationType string, config object) []message {
	t, ok := apifacts.FindIntegrationType(integrationType)
	if !ok {
		return nil // the type itself is the problem, or the test's own invention
	}
	config.dropNulls(t.Members)
	return check("/config", config, t.Members)
}

// withoutSecrets returns raw itself where it holds none.
func withoutSecrets(raw json.RawMessage) json.RawMessage {
	integration, _ := decodeObject(raw)
	config, _ := decodeObject(integration["config"])
	if config.dropSecrets() {
		integration["config"] = config.encode()
		return integration.encode()
	}
	return raw
}

// dropSecrets removes the secrets of every type of config, and reports whether there was one.
func (o object) dropSecrets() bool {
	before := len(o)
	for _, name := range apifacts.Secrets() {
		delete(o, name)
	}
	return len(o) < before
}

func (a *account) ruleThatUses(integrationID string) string {
	for _, id := range a.rules.ids {
		rule, _ := decodeObject(a.rules.items[id])
		input, _ := decodeObject(rule["input"])
		if input.text("connection_id") == integrationID {
			return id
		}
	}
	return ""
}
