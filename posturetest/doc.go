// Package posturetest is an in-memory imitation of Cloudflare's device posture API on a loopback port, for tests of
// programs that use cfposture, or that talk to the API in any other way. It needs no network and no account:
//
//	server := posturetest.NewServer()
//	defer server.Close()
//	client := server.Client()
//
// It serves the ten endpoints of rules and integrations, holds what they are given, and can be told to misbehave.
// [Server.Requests] tells which requests came.
//
// # Faults
//
// [Server.FailNext], [Server.LoseNext], [Server.DelayNext], [Server.CutNext] and [Server.LimitNext] each spoil
// requests to come. What they ask for waits in one queue, and each request takes the first of it, whatever its method
// or credentials: FailNext(2, 500) and then CutNext(1, CutAfter) spoil three requests, the third by a cut.
//
// Mind that Go's own http.Transport sends a GET again, unasked, when a connection that it had used before is cut
// before the answer begins. The second request takes the next fault.
//
// # How far to trust it
//
// It was made from the API's public documents and from what users of the API report, not from the API itself. A test
// that passes here says that a program does what the documents ask; it does not say that the live API agrees.
//
// Like the API, it answers in the v4 envelope with members in alphabetical order, gives new rules a UUID and the
// schedule "5m", keeps members that it doesn't know, replaces a rule as a whole on PUT, changes an integration only
// in what a PATCH has, and never returns an integration's secrets. A member that is null or "" counts as absent,
// save that a required text in a PATCH may not be "". It takes what the documents refuse and the live API was seen
// to take: a rule without a name or an input, most inputs without operating_system, os_version rules for every
// platform.
//
// These are its own choices, where the API's behaviour isn't documented:
//   - A body that breaks a documented type, enumeration, maximum or requirement gets 400 and one error for each
//     problem, with the member's JSON pointer. The live API may be more lenient, and takes new values of enumerations
//     before they are documented.
//   - Intervals are in hours, minutes and seconds. One in days, such as 2d, gets 400.
//   - A rule whose connection_id names no integration gets 400.
//   - Deleting an integration whose ID is some rule's connection_id gets 409.
//   - A PATCH that has a config must have all of it, the secrets too. Another type than the integration has gets 400.
//   - A list is one page unless the query asks for pages or [Server.SetPageSize] was called.
//   - An account that is 32 hexadecimal digits but not [AccountID] gets 403, any other 404.
//   - A body of more than 1 MiB gets 413.
//   - The codes 2054 to 2058 of its errors, and every message.
//   - Requests are never limited unless [Server.LimitNext] says so; the Ratelimit header always tells of a nearly
//     untouched window.
package posturetest
