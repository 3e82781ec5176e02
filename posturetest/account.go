package posturetest

import (
	"net/http"
	"net/url"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// account is everything that a server stores. The server's mu is held whenever it is used.
type account struct {
	server       *Server
	rules        *collection
	integrations *collection
	// users are the IDs of the rules that name an integration, by the integration's ID. They spare a deletion the
	// search through all rules.
	users map[string]map[string]bool
}

func newAccount(s *Server) *account {
	a := &account{server: s, users: map[string]map[string]bool{}}
	a.rules = newCollection(ruleKind{a})
	a.integrations = newCollection(integrationKind{a})
	return a
}

// respond carries out a request for an endpoint that exists.
func (a *account) respond(e endpoint, query url.Values, body []byte) response {
	c := a.rules
	if e.service == "integrations" {
		c = a.integrations
	}
	switch e.verb {
	case "list":
		listed := a.list(c, query)
		if c == a.integrations && listed.status == http.StatusOK {
			listed.header.Set("Content-Type", a.integrationsContentType(e))
		}
		return listed
	case "create":
		return a.change(c, e, nil, body)
	}

	stored := c.get(e.id)
	switch {
	case stored == nil:
		return c.kind.missing(e)
	case e.verb == "get":
		return succeed(c.kind.show(stored), nil)
	case e.verb == "delete":
		return a.remove(c, e, stored)
	}
	return a.change(c, e, stored, body)
}

func (a *account) integrationsContentType(e endpoint) string {
	switch configured := a.server.behavior.IntegrationsContentType; {
	case configured != "":
		return configured
	case e.asksForJSON:
		return "application/json"
	}
	return "text/plain"
}

// change creates an item, or changes the old one.
func (a *account) change(c *collection, e endpoint, old *item, body []byte) response {
	sent, ok := decodeObject(body)
	if !ok {
		return refuse(http.StatusBadRequest, invalid("", "the body is not a JSON object"))
	}
	changed, problems := c.kind.build(old, sent)
	if problems != nil {
		return refuse(http.StatusBadRequest, problems...)
	}
	if old != nil {
		changed.setID(old.id)
	} else {
		changed.setID(newID())
	}
	if failure := a.save(Change{Operation: e.operation(), ID: changed.id, JSON: changed.withoutSecrets()}); failure != nil {
		return *failure
	}
	c.put(changed)
	return succeed(c.kind.show(changed), nil)
}

func (a *account) remove(c *collection, e endpoint, stored *item) response {
	if refusal := c.kind.keep(stored); refusal != nil {
		return *refusal
	}
	if failure := a.save(Change{Operation: e.operation(), ID: stored.id}); failure != nil {
		return *failure
	}
	c.remove(stored)
	return succeed(c.kind.deleted(stored.id), nil)
}

// save reports a change before it is made. The change must not be made if it returns a response.
func (a *account) save(change Change) *response {
	if a.server.save == nil {
		return nil
	}
	err := a.server.save(change)
	if err == nil {
		return nil
	}
	failure := refuse(http.StatusInternalServerError,
		message{Code: codeNotSaved, Message: "the change was not saved: " + err.Error()})
	return &failure
}

// badReadOnly refuses the members of a request that only the API sets, if the server is to mind them, and removes them.
// The ID is not among them: clients send it with a whole rule.
func (a *account) badReadOnly(sent object, members []apifacts.Member) []message {
	var problems []message
	for _, m := range members {
		if !m.ReadOnly || m.Name == "id" {
			continue
		}
		if _, ok := sent[m.Name]; ok && a.server.behavior.RefuseReadOnly {
			problems = append(problems, invalid("/"+m.Name, m.Name+" is read-only"))
		}
		delete(sent, m.Name)
	}
	return problems
}
