package posturetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// An Option sets up a [Server].
type Option func(*Server)

// InMemory makes a server without a port: [Server.Transport] and [Server.Client] reach it in the process. A server
// that is used in a testing/synctest bubble has to be one, made in the bubble, because waiting for a network keeps the
// bubble's clock from moving.
func InMemory() Option {
	return func(s *Server) { s.inMemory = true }
}

// WithBehavior chooses how the server behaves where the live API's behavior isn't known for sure. The default is the
// zero [Behavior].
func WithBehavior(b Behavior) Option {
	b.check()
	return func(s *Server) { s.behavior = b }
}

// WithControl serves the control paths, which let programs in other languages ask for faults: see the package comment.
// They need no credentials.
func WithControl() Option {
	return func(s *Server) { s.control = true }
}

// WithOnChange calls save before a request changes a rule or an integration. If save returns an error, nothing is
// changed and the response is a 500 that holds the error's text. save is called for one change at a time, in the order
// in which they are made, and must not call the server. Changes that a test makes through [Server.AddRule], [Server.Reset]
// and the like are not reported.
func WithOnChange(save func(Change) error) Option {
	return func(s *Server) { s.save = save }
}

// A Change is what a request does to one rule or integration.
type Change struct {
	// Operation is the request's, such as "posture.create": see [Fault].
	Operation string
	ID        string
	// JSON is the rule or integration after the change. It holds all that was sent but secrets, and [Server.AddRule]
	// or [Server.AddIntegration] takes it back. It is nil after a deletion.
	JSON json.RawMessage
}

// Behavior is how a [Server] behaves where the live API's behavior isn't known for sure. The zero value is what was
// recorded of the API, or the more likely side of what nobody recorded.
type Behavior struct {
	// DeleteMissingRule is the status of a DELETE of a rule that doesn't exist, 200 or 404. 0 is 200, which was recorded.
	DeleteMissingRule int
	// DeleteMissingIntegration is the same for integrations, of which nothing was recorded. 0 is 404.
	DeleteMissingIntegration int
	// NotFoundStatus is the status of a GET or PUT of a rule that doesn't exist. Its code, 6024, was recorded, but not
	// its status. 0 is 404.
	NotFoundStatus int

	// OmittedMembers are members of inputs that responses leave out although the server has them. Users saw the live
	// API leave out those that [OmittedMembers] returns; nobody recorded when. nil leaves out none.
	OmittedMembers []string
	// ConfigMembers are members of configs that responses hold along with the recorded ones: api_url, auth_url and
	// client_id. Whether the live API returns customer_id and access_client_id isn't known. "*" is every member, even
	// one that no document names; secrets are never returned.
	ConfigMembers []string

	// ResultInfo makes lists hold result_info even if nobody asked for pages. Recorded lists hold none.
	ResultInfo bool
	// NoTotalPages leaves total_pages out of result_info, as the API's published description does.
	NoTotalPages bool
	// IgnoreQuery ignores page and per_page. No document has parameters of the lists, so the live API may do so.
	IgnoreQuery bool
	// IntegrationsContentType is the content type of the list of integrations. One user recorded it as text/plain, which
	// Cloudflare's own Go client refuses. "" is text/plain, unless the request's Accept header asks for application/json,
	// as those of that client and of cfposture do.
	IntegrationsContentType string

	// RefuseReadOnly refuses a request with a member that only the API sets, such as a rule's enabled, with 400. By
	// default such members are ignored.
	RefuseReadOnly bool
	// OptionalInput accepts every rule without an input. By default only gateway, warp and tanium rules need none.
	OptionalInput bool
	// Expiration is what becomes of an expiration that isn't above the schedule.
	Expiration ExpirationPolicy
	// WholeConfigs refuses a PATCH whose config lacks a required member or a secret, as the documents' schema does, and
	// replaces the config by the new one. By default a PATCH may have a part of the config, and the rest stays.
	WholeConfigs bool
	// DeleteInUse deletes an integration that rules name. By default that is refused with 409.
	DeleteInUse bool
}

// ExpirationPolicy is what becomes of an expiration that isn't above the schedule, about which users of the API
// disagree.
type ExpirationPolicy int

// What can become of such an expiration.
const (
	KeepExpiration   ExpirationPolicy = iota // it is kept
	DropExpiration                           // it becomes null
	RefuseExpiration                         // the request gets 400
)

// OmittedMembers returns the names of all members of inputs that users saw the live API leave out of responses, for
// [Behavior].
func OmittedMembers() []string {
	var names []string
	for _, t := range apifacts.RuleTypes {
		for _, m := range t.Members {
			if m.MayBeOmitted && !slices.Contains(names, m.Name) {
				names = append(names, m.Name)
			}
		}
	}
	return names
}

// check panics if a status is not one that the field's comment names.
func (b Behavior) check() {
	for name, status := range map[string]int{
		"DeleteMissingRule": b.DeleteMissingRule, "DeleteMissingIntegration": b.DeleteMissingIntegration,
	} {
		if status != 0 && status != http.StatusOK && status != http.StatusNotFound {
			panic(fmt.Sprintf("posturetest: Behavior.%s is %d, neither 200 nor 404", name, status))
		}
	}
	if b.NotFoundStatus != 0 && (b.NotFoundStatus < 200 || b.NotFoundStatus > 599) {
		panic(fmt.Sprintf("posturetest: Behavior.NotFoundStatus is %d, not a status from 200 to 599", b.NotFoundStatus))
	}
}
