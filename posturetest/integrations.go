package posturetest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

// Integrations returns the integrations that s holds, as responses hold them: as JSON, without their secrets and without
// the members of configs that [Behavior] leaves out, in the order of their creation.
func (s *Server) Integrations() []json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account.integrations.shown()
}

// ListIntegrations returns the integrations that s holds with their whole configs, secrets included, so that a test can
// compare them. It panics if a test put in what is no integration at all, such as a number.
func (s *Server) ListIntegrations() []*cfposture.Integration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var integrations []*cfposture.Integration
	for _, i := range s.account.integrations.all() {
		integrations = append(integrations, decodeModel[cfposture.Integration](i.raw))
	}
	return integrations
}

// AddIntegration stores an integration as it is, like [Server.AddRule]. Responses hold it as it is, without its secrets.
func (s *Server) AddIntegration(raw []byte) (id string) {
	i := givenItem("AddIntegration", raw)
	i.asGiven, i.shown = true, map[string]bool{}
	integration, _ := decodeObject(raw)
	config, _ := decodeObject(integration["config"])
	for name := range config {
		i.shown[name] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account.integrations.add(i)
}

// PutIntegration stores an integration of cfposture's type as if it had been created: without checks, but with what the
// API adds, and with responses that hold the part of its config that [Behavior] says. It returns the ID, which is new
// if the integration has none. It panics if integration is nil or can't be encoded.
func (s *Server) PutIntegration(integration *cfposture.Integration) (id string) {
	o := encodeModel("PutIntegration", integration)
	o.addDefaults(apifacts.IntegrationMembers)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account.integrations.add(newItem(o))
}

// integrationKind is what is special about integrations.
type integrationKind struct{ *account }

// build makes an integration of what a POST sent, or of the old one and what a PATCH sent.
func (k integrationKind) build(old *item, sent object) (*item, []message) {
	problems := k.badReadOnly(sent, apifacts.IntegrationMembers)
	sent.dropNulls(apifacts.IntegrationMembers)
	members := apifacts.IntegrationMembers
	if old != nil {
		members = present(members, sent)
	}
	problems = append(problems, check("", sent, members)...)
	typeName := sent.text("type")
	if was := typeOf(old); was != "" {
		if typeName != "" && typeName != was {
			problems = append(problems, invalid("/type", "the type of an integration can't be changed from "+was))
		}
		typeName = was
	}
	problems = append(problems, k.buildConfig(typeName, old, sent)...)
	if problems != nil {
		return nil, problems
	}

	integration := object{}
	if old != nil {
		before, _ := decodeObject(old.raw)
		maps.Copy(integration, before)
	}
	maps.Copy(integration, sent)
	integration.addDefaults(apifacts.IntegrationMembers)
	built := newItem(integration)
	if old != nil {
		built.shown = old.shown
	}
	return built, nil
}

// buildConfig checks the config that a request sent, and puts what the old one has and the new one hasn't into it.
func (k integrationKind) buildConfig(typeName string, old *item, sent object) []message {
	config, ok := decodeObject(sent["config"])
	if !ok {
		return nil // absent, or found when the members of the integration were checked
	}
	integrationType, _ := apifacts.FindIntegrationType(typeName) // a type that isn't known has no members to check
	config.dropNulls(integrationType.Members)
	members := integrationType.Members
	if old != nil && !k.server.behavior.WholeConfigs {
		members = present(members, config)
	}
	problems := check("/config", config, members)
	if old != nil && !k.server.behavior.WholeConfigs {
		integration, _ := decodeObject(old.raw)
		merged, _ := decodeObject(integration["config"])
		if merged == nil {
			merged = object{}
		}
		maps.Copy(merged, config)
		config = merged
	}
	sent["config"] = config.encode()
	return problems
}

// present returns the members that o has: what a PATCH leaves out stays, so there is nothing to check about it.
func present(members []apifacts.Member, o object) []apifacts.Member {
	return slices.DeleteFunc(slices.Clone(members), func(m apifacts.Member) bool { return !o.has(m.Name) })
}

// show leaves out the secrets, and the members of the config that responses of the live API weren't seen with.
func (k integrationKind) show(i *item) json.RawMessage {
	if i.asGiven {
		return i.withoutSecrets()
	}
	integration, _ := decodeObject(i.raw)
	config, ok := decodeObject(integration["config"])
	if !ok {
		return i.raw
	}
	config.dropSecrets()
	also := k.server.behavior.ConfigMembers
	if !slices.Contains(also, "*") {
		maps.DeleteFunc(config, func(name string, _ json.RawMessage) bool {
			return !recorded[name] && !i.shown[name] && !slices.Contains(also, name)
		})
	}
	integration["config"] = config.encode()
	return integration.encode()
}

// recorded are the members that configs in responses were recorded with.
var recorded = func() map[string]bool {
	names := map[string]bool{}
	for _, t := range apifacts.IntegrationTypes {
		for _, m := range t.Members {
			if !m.Secret && !m.MayBeOmitted {
				names[m.Name] = true
			}
		}
	}
	return names
}()

func (k integrationKind) missing(e endpoint) response {
	if e.verb == "delete" && k.server.behavior.DeleteMissingIntegration == http.StatusOK {
		return succeed(k.deleted(e.id), nil)
	}
	return refuse(http.StatusNotFound, message{Code: codeNotFound, Message: "device posture integration not found"})
}

func (k integrationKind) keep(i *item) *response {
	if k.server.behavior.DeleteInUse {
		return nil
	}
	for rule := range k.users[i.id] {
		refusal := refuse(http.StatusConflict,
			message{Code: codeInUse, Message: "device posture integration is in use by device posture rule " + rule})
		return &refusal
	}
	return nil
}

func (integrationKind) deleted(string) json.RawMessage { return json.RawMessage("null") }

func (integrationKind) moved(_, _ *item) {}
