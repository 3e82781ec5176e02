package posturetest

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// endpoint is what a request asks for.
type endpoint struct {
	service string // "posture" or "integrations"
	verb    string // "list", "get", "create", "update" or "delete"
	id      string // of a rule or an integration
	// asksForJSON reports whether the request's Accept header does.
	asksForJSON bool
	// refusal is the response to a request that leads nowhere. There is no service and no verb then.
	refusal *response
}

// operation is the name of what the request asks for, such as "posture.list".
func (e endpoint) operation() string {
	if e.refusal != nil {
		return ""
	}
	return e.service + "." + e.verb
}

// The methods of collections and of items, and what they do.
var (
	collectionVerbs  = []methodVerb{{http.MethodGet, "list"}, {http.MethodPost, "create"}}
	ruleVerbs        = []methodVerb{{http.MethodGet, "get"}, {http.MethodPut, "update"}, {http.MethodDelete, "delete"}}
	integrationVerbs = []methodVerb{{http.MethodGet, "get"}, {http.MethodPatch, "update"}, {http.MethodDelete, "delete"}}
)

type methodVerb struct{ method, verb string }

// operations returns the names of all operations.
func operations() []string {
	var names []string
	for service, itemVerbs := range map[string][]methodVerb{"posture": ruleVerbs, "integrations": integrationVerbs} {
		for _, known := range slices.Concat(collectionVerbs, itemVerbs) {
			names = append(names, endpoint{service: service, verb: known.verb}.operation())
		}
	}
	return slices.Sorted(slices.Values(names))
}

var accountID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// findEndpoint takes the path as received, because cleaning it, as http.ServeMux does, would hide that a client sent an
// ID with a slash or dots in it.
func findEndpoint(r *http.Request) endpoint {
	path := r.URL.EscapedPath()
	elements, ok := pathElements(path)
	if !ok || len(elements) < 4 || elements[0] != "accounts" || !slices.Equal(elements[2:4], []string{"devices", "posture"}) {
		return noRoute(path)
	}
	if elements[1] != AccountID {
		if accountID.MatchString(elements[1]) {
			return endpoint{refusal: authenticationError(false)}
		}
		return noRoute(path)
	}

	service, itemVerbs, rest := "posture", ruleVerbs, elements[4:]
	if len(rest) > 0 && rest[0] == "integration" {
		service, itemVerbs, rest = "integrations", integrationVerbs, rest[1:]
	}
	switch {
	case len(rest) == 0:
		asksForJSON := strings.Contains(r.Header.Get("Accept"), "application/json")
		return withVerb(endpoint{service: service, asksForJSON: asksForJSON}, r.Method, collectionVerbs)
	case len(rest) == 1 && rest[0] != "":
		return withVerb(endpoint{service: service, id: rest[0]}, r.Method, itemVerbs)
	}
	return noRoute(path)
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

func noRoute(path string) endpoint {
	refusal := refuse(http.StatusNotFound,
		message{
			Code:    apifacts.CodeInvalidObjectInRoute,
			Message: "Could not route to " + path + ", perhaps your object identifier is invalid?",
		},
		message{Code: apifacts.CodeNoRoute, Message: "No route for that URI"})
	return endpoint{refusal: &refusal}
}

// withVerb sets what the method does at the endpoint, or refuses it.
func withVerb(e endpoint, method string, verbs []methodVerb) endpoint {
	var allowed []string
	for _, known := range verbs {
		if known.method == method {
			e.verb = known.verb
			return e
		}
		allowed = append(allowed, known.method)
	}
	refusal := refuse(http.StatusMethodNotAllowed,
		message{Code: apifacts.CodeMethodNotAllowedThere, Message: "Method " + method + " not available for that URI."})
	refusal.header.Set("Allow", strings.Join(allowed, ", "))
	return endpoint{refusal: &refusal}
}
