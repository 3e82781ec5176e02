// Package cfposture is a client for Cloudflare's Zero Trust device posture API. It manages the rules that check enrolled
// devices, such as whether a disk is encrypted, and the integrations with third-party services, such as CrowdStrike, whose
// findings some rules check.
//
// A [Client] takes its credentials and account from options, or from the environment variables CLOUDFLARE_API_TOKEN (or
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
// # Tasks
//
// Everything named here has a runnable example.
//
//   - List rules: [PostureService.All] in a loop, [PostureService.List] as a slice, [PostureService.ListPage] page by page.
//   - Find out what a rule checks: a type switch over [DeviceInput].
//   - Create: [PostureService.Create]; [PostureService.CreateOnce] also looks for the rule if the response was lost.
//   - Update: [PostureService.Update] what [PostureService.Get] returned. [Rule.Diff] and [Rule.Merge] bring an existing rule
//     to a desired state.
//   - Delete: [PostureService.Delete].
//   - Manage integrations: [IntegrationsService.Create], [IntegrationsService.Update], [SetConnectionID], [Secrets].
//   - Read rules that people wrote, in JSON or YAML: [ParseRule], [ParseIntegration].
//   - Handle errors: [Error], [ItemError], [ValidationError], [UnknownInput], [ErrOutcomeUnknown].
//   - Control retries and rate limits: [WithResponse], [WithMaxRetries], [WithTimeout], [WithRateLimit], [WithLimiter].
//   - Connect in other ways: [WithHTTPClient] for a proxy or a private CA, [WithMiddleware], [WithTokenSource],
//     [WithAccountID] for several accounts.
//   - Log without secrets: [WithLogger], [Secret].
//   - Call another endpoint: [Client.Do].
//   - Test: package [github.com/cfposture/cfposture/posturetest], a fake of the API.
//
// # Rules and their inputs
//
// The Input of a [Rule] holds what the rule checks. It is a pointer to one of the types that [DeviceInput] lists, one per
// type of rule. An input of another type, or one that doesn't fit its type, is an [UnknownInput], so that it doesn't stop
// other rules from being read. [Integration] and [IntegrationConfig] work the same way.
//
// Booleans and numbers are pointers, because false and 0 have a meaning of their own: new(true), new(0.0). A nil pointer,
// an empty string and a nil slice are unset and not sent; only a name is always sent. A slice that is empty but not nil is
// sent.
//
// # Unknown members
//
// Members that this package has no field for are kept in the Extra map of their object and are sent back. So getting a
// rule, changing a field and updating it changes nothing else. Members that are null or an empty string may be left out.
//
// The tag `json:",embed"` of Extra comes from encoding/json/v2 and marks the map that takes the members without a field.
// The encoding/json of Go 1.27 honors it. Until then the types have MarshalJSON and UnmarshalJSON methods that do, so no
// member is lost with any supported version of Go.
//
// # Errors
//
// A response that reports a failure is an [*Error]. It wraps a sentinel error for its status, such as [ErrNotFound], for
// [errors.Is]. Create and Update call Validate before they send anything. Its [*ValidationError] lists all problems together.
//
// # Retries
//
// GET, PUT, PATCH and DELETE requests are retried after transient failures: connection errors and the statuses 408, 429,
// 500, 502, 503, 504 and 520 to 527. The client waits between attempts, honors Retry-After, and stays within
// [WithMaxRetries], [WithMaxRetryWait] and the context's deadline. A POST is retried only if the API can't have carried it
// out: after a 429, or if there was no connection. If its outcome is ambiguous, as after a lost connection or a 502, it is
// not sent again, and the error wraps [ErrOutcomeUnknown].
package cfposture

//go:generate go run ./internal/gen
