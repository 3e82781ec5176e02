// Package cfposture is a client for Cloudflare's Zero Trust device posture API: the rules that check enrolled devices,
// and the integrations with the services that know the answer.
//
// # Start
//
// A [Client] takes its credentials and account from options or from the environment variables CLOUDFLARE_API_TOKEN (or
// CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY) and CLOUDFLARE_ACCOUNT_ID:
//
//	client, err := cfposture.NewClient()
//	if err != nil {
//		return err
//	}
//	rule, err := client.Posture.Create(ctx, &cfposture.Rule{
//		Name:  "Disk encrypted",
//		Match: []cfposture.Match{{Platform: cfposture.PlatformWindows}},
//		Input: &cfposture.DiskEncryptionInput{RequireAll: new(true)},
//	})
//
// # Rules and their inputs
//
// The Input of a [Rule] holds what the rule checks. Its type is one of those that [DeviceInput] lists, one per kind of
// rule. An input whose kind this package doesn't know, or that doesn't fit its kind, is an [UnknownInput], so that one
// odd rule hides no other.
//
// Booleans and numbers are pointers, because false and 0 mean something: new(true), new(0.0). A nil pointer, an empty
// string and a nil slice are unset and not sent; an empty slice that isn't nil is sent.
//
// [ParseRule] reads rules that people wrote and names every mistake at once. [Rule.Diff] says what to change in a rule so
// that it is like another, and [Rule.Merge] makes of both what to give to Update.
//
// # Nothing is lost
//
// Members that this package has no field for are kept in the Extra of the object they stand in, and are sent back. So
// reading a rule, changing a field and updating it changes that field only. The tag `json:",embed"` of Extra is the one
// of encoding/json/v2. Members that are null or an empty string may be left out.
//
// # Failures
//
// An answer that is a failure is an [*Error]; [errors.Is] tells the common ones apart by [ErrNotFound] and its
// siblings. Before a write, Validate names every problem at once in a [*ValidationError].
//
// Failures that may pass are retried, within bounds that [WithMaxRetries], [WithMaxRetryWait] and the context set. A
// POST is sent again only if it can't have been acted on; where that can't be known the error is [ErrOutcomeUnknown].
//
// # Testing
//
// Package posturetest is an in-memory imitation of the API to run tests against.
package cfposture

//go:generate go run ./internal/gen
