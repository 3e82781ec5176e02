package posturetest

import (
	"encoding/json"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// object is a JSON object whose values stay the received bytes, so that unknown members and the digits of numbers are
// kept. It encodes with its members in alphabetical order.
type object map[string]json.RawMessage

func decodeObject(raw []byte) (object, bool) {
	var o object
	err := json.Unmarshal(raw, &o)
	return o, err == nil && o != nil // null decodes into a nil map
}

func (o object) encode() json.RawMessage { return encode(o) }

// has reports whether the member is there and not null.
func (o object) has(name string) bool {
	raw, ok := o[name]
	return ok && string(raw) != "null"
}

// text returns the member's string, or "" if it is absent or not a string.
func (o object) text(name string) string {
	var s string
	if json.Unmarshal(o[name], &s) != nil {
		return ""
	}
	return s
}

// dropNulls removes the members of the table that are null. Null members that are not in the table stay.
func (o object) dropNulls(members []apifacts.Member) {
	for _, m := range members {
		if !o.has(m.Name) {
			delete(o, m.Name)
		}
	}
}

// addDefaults adds what the API adds to a request that left a member out or sent an empty one.
func (o object) addDefaults(members []apifacts.Member) {
	for _, m := range members {
		if m.Default != "" && isAbsent(o[m.Name], m.Kind) {
			o[m.Name] = json.RawMessage(m.Default)
		}
	}
}

// dropSecrets removes the secrets of every type of config, and reports whether there was one.
func (o object) dropSecrets() bool {
	before := len(o)
	for _, name := range apifacts.Secrets() {
		delete(o, name)
	}
	return len(o) < before
}
