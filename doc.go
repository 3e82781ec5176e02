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
// What a [Rule] checks is its Input, one of 23 variants of [DeviceInput]; the rule's type decides which. A type that
// this package doesn't know, and an input that doesn't fit its type, become an [UnknownInput], so that one odd rule
// hides no other.
//
// Optional booleans and numbers are pointers, because false and 0 mean something: new(true), new(0.0). Optional strings
// are left out when empty, slices when nil.
//
// # Nothing is lost
//
// Members that this package has no field for are kept in the Extra of the object they stand in and are sent back, so
// that reading a rule, changing a field and updating it changes that field alone. Numbers keep their digits. Members that
// are null or an empty string may be left out, and required booleans and numbers are always sent.
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
