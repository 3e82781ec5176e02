// Package posturetest is a fake of Cloudflare's device posture API, for tests of programs that use cfposture, or that
// talk to the API in any other way. It keeps everything in memory and needs no network and no account:
//
//	server := posturetest.New(t)
//	client := server.Client()
//
// It serves all endpoints of rules and integrations, stores what it is given, and misbehaves on demand.
//
//   - [Server.PutRule] and [Server.PutIntegration] fill it, [Server.ListRules] and [Server.ListIntegrations] read it.
//     [Server.AddRule], [Server.AddIntegration], [Server.Rules] and [Server.Integrations] do the same in JSON.
//   - [Server.Requests] returns the received requests.
//   - [Server.Inject] and its short forms, such as [Server.FailNext], make later requests fail.
//   - [Server.SetPageSize] splits lists into pages.
//   - [WithBehavior] chooses between behaviors that are reported of the live API.
//
// # Faults
//
// A [Fault] selects requests by operation, method, path or a function, may let some of them through first, and says what
// happens to the others:
//
//	server.Inject(posturetest.Fault{Operation: "posture.create", After: 2, Cut: posturetest.CutAfter})
//
// [Server.FailNext], [Server.LoseNext], [Server.DelayNext], [Server.CutNext] and [Server.LimitNext] affect the next
// requests of any kind. At most one fault affects a request, so FailNext(2, 500) and then CutNext(1, CutAfter) affect three
// requests, the third by a cut.
//
// Go's http.Transport sends a GET again on its own if a reused connection is cut before the response begins. The next fault
// affects that second request.
//
// # Retries take time
//
// A client that retries waits for up to half a second, then longer. Give it a short limit in tests:
//
//	client := server.Client(cfposture.WithMaxRetryWait(time.Millisecond))
//
// Then a Retry-After of a second fails the call, because it is above the limit. A testing/synctest bubble has neither
// problem: its clock jumps over every wait. Create the server in the bubble with InMemory:
//
//	synctest.Test(t, func(t *testing.T) {
//		server := posturetest.New(t, posturetest.InMemory())
//		server.LimitNext(1, 30*time.Second)
//		rules, err := server.Client().Posture.List(t.Context()) // takes no real time
//	})
//
// # Other languages
//
// A server made with [WithControl] takes faults over HTTP and reports the received requests. These paths need no
// credentials, are not recorded, and no fault affects them. Like the server's URL they are for tests on one machine:
//
//	POST   /posturetest/faults    adds faults: a JSON object or an array, see ParseFaults
//	GET    /posturetest/faults    returns those that are still waiting for requests
//	DELETE /posturetest/faults    drops them
//	GET    /posturetest/requests  returns the received requests, without their secrets
//	POST   /posturetest/reset     returns the server to its initial state
//
// For example:
//
//	curl -d '{"operation": "posture.*", "status": 503, "times": 2}' http://127.0.0.1:8788/posturetest/faults
//
// A program that serves the fake can take faults from its environment too, with [FaultsFromEnv]:
//
//	POSTURETEST_FAULTS='[{"method": "POST", "cut": "after"}, {"delay": "250ms", "times": -1}]'
//
// # How far to trust it
//
// It was made from the API's public documents, from recorded responses and from reports of the API's users, not from the API
// itself. A test that passes here shows that a program does what these sources ask for, not that the live API agrees.
//
// Like the API, it responds in the v4 envelope with members in alphabetical order, assigns UUIDs to new rules, replaces a
// rule as a whole on PUT, changes an integration only in what a PATCH has, keeps members that it doesn't know, and never
// returns an integration's secrets. A member that is null or "" counts as absent, but a required string in a PATCH must
// not be "".
//
// Recorded or seen on the live API:
//   - Responses add what a request leaves out: the name "", the schedule "5m", the expiration null, checkDisks [] in a
//     disk_encryption rule, and in integrations the identifier "", the schema {} and the test_results {}.
//   - A rule's enabled is computed: false for Kolide rules with an issue_count, true for all others.
//   - Configs in responses have api_url, auth_url and client_id only.
//   - Lists have no result_info. The list of integrations is text/plain, unless the request asks for application/json.
//   - A DELETE of a rule that doesn't exist gets 200, a GET of one the code 6024.
//   - A rule may have no name, most inputs may have no operating_system, and os_version rules may be for every platform.
//     A rule other than warp, gateway and tanium must have an input.
//
// These are its own choices, because the API's behavior isn't documented. [Behavior] selects the other side of
// those that matter most:
//   - A GET or PUT of a rule that doesn't exist gets 404, and so does anything for an integration that doesn't exist.
//   - A member that only the API sets is ignored in a request.
//   - A PATCH may have a part of a config; the rest stays, secrets included.
//   - An expiration that isn't above the schedule is kept.
//   - Deleting an integration whose ID is some rule's connection_id gets 409.
//   - The queries page and per_page split a list. A list that was split has a result_info.
//   - A body that breaks a documented type, enumeration, maximum or requirement gets 400 and one error for each
//     problem, with the member's JSON pointer. The live API may be more lenient, and accepts new values of enumerations
//     before they are documented.
//   - Changing the type of a rule or an integration gets 400.
//   - Intervals are in hours, minutes and seconds. One in days, such as 2d, gets 400.
//   - A rule whose connection_id names no integration gets 400.
//   - An account that is 32 hexadecimal digits but not [AccountID] gets 403, any other 404.
//   - A body of more than 1 MiB gets 413.
//   - The codes of its own errors are 777000 and above. No code of the API is known to be in this range.
//   - Requests are never limited unless a fault says so; the Ratelimit header always reports a nearly untouched window.
package posturetest
