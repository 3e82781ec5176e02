// Package interop is the root of a module for what is too heavy for users of cfposture:
//
//   - contract: a description of the API in OpenAPI, and every exchange of the client compared with it
//   - peers: cloudflare-go v7 and v0 on the same server as cfposture, and where they differ
//   - models: rules in YAML, and compared by go-cmp
//   - live: what is known of the API, compared with the API itself
//   - workload, cmd/compare: the same work for all of them, measured
//   - cmd/footprint: what a program pays for each of them
package interop
