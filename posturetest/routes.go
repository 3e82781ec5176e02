package posturetest

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// account is what the server holds.
type account struct {
	rules, integrations *collection
}

func newAccount() *account {
	a := &account{}
	a.rules = newRules(a)
	a.integrations = newIntegrations(a)
	return a
}

// endpoint is a collection, or one item of it where id is not empty.
type endpoint struct {
	*collection
	id string
}

var accountID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// find returns the endpoint at an escaped path, or the refusal of a path that leads nowhere. The path is taken as it
// came, because cleaning it, as http.ServeMux does, would hide that a client sent an ID with a slash or dots in it.
func (a *account) find(escapedPath string) (endpoint, *answer) {
	elements, ok := pathElements(escapedPath)
	if !ok || len(elements) < 4 || elements[0] != "accounts" || !slices.Equal(elements[2:4], []string{"devices", "posture"}) {
		return endpoint{}, noRoute(escapedPath)
	}
	if elements[1] != AccountID {
		if accountID.MatchString(elements[1]) {
			return endpoint{}, authenticationError(false)
		}
		return endpoint{}, noRoute(escapedPath)
	}
	to, rest := endpoint{collection: a.rules}, elements[4:]
	if len(rest) > 0 && rest[0] == "integration" {
		to.collection, rest = a.integrations, rest[1:]
	}
	switch {
	case len(rest) == 0:
		return to, nil
	case len(rest) == 1 && rest[0] != "":
		to.id = rest[0]
		return to, nil
	}
	return endpoint{}, noRoute(escapedPath)
}

// pathElements splits the path below the base before it unescapes, so that an escaped slash stays in its element.
func pathElements(escapedPath string) ([]string, bool) {
	below, ok := strings.CutPrefix(escapedPath, basePath+"/")
	if !ok {
		return nil, false
	}
	elements := strings.Split(below, "/")
	for i, escaped := range elements {
		element, err := url.PathUnescape(escaped)
		if err != nil {
			return nil, false
		}
		elements[i] = element
	}
	return elements, true
}

func noRoute(path string) *answer {
	a := refuse(http.StatusNotFound,
		message{
			Code:    apifacts.CodeInvalidObjectInRoute,
			Message: "Could not route to " + path + ", perhaps your object identifier is invalid?",
		},
		message{Code: apifacts.CodeNoRoute, Message: "No route for that URI"})
	return &a
}
