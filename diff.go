package cfposture

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/wire"
)

// A Difference is a member on which a wanted rule or integration doesn't agree with the one that there is.
type Difference struct {
	// Field is the path of the member, such as schedule or input.requireAll. It is "" if one of the two can't be
	// written as JSON.
	Field string
	// Want and Have are the values of the member. Have is nil if there is none.
	Want, Have json.RawMessage
}

// String returns the path and both values in one line.
func (d Difference) String() string {
	have := string(d.Have)
	if d.Have == nil {
		have = "nothing"
	}
	return api.Printable(fmt.Sprintf("%s: want %s, have %s", d.Field, d.Want, have))
}

// Diff returns what to change in have so that it has the effect of r, in no more than one Difference for each member:
// nothing, if no change is needed. Members are compared by what they mean: 60m is 1h, and neither the order of Match, of
// other lists, nor that of JSON members matters.
//
// What r leaves out is no difference; nil and "" are left out, whereas an empty list that isn't nil asks for none. Nor is
// what only the API sets, such as the ID. Some members don't come back in every response: version, path, sha256,
// os_distro_name, os_distro_revision and os_version_extra, and most of [SentinelOneS2SInput]. They are a difference only
// if have holds another value.
func (r *Rule) Diff(have *Rule) []Difference {
	if r == nil {
		return nil
	}
	if have == nil {
		have = new(Rule)
	}
	return diff(r.comparison(have), r, have)
}

// Merge returns have with the members that r sets put over it, for Update to send. It keeps what only have has: its ID,
// what r leaves out, and members that this package has no field for. Neither r nor have changes, and neither shares
// anything with the result.
//
// If r is of another type, its input is taken as a whole. The API refuses such an Update: create r and delete have.
func (r *Rule) Merge(have *Rule) *Rule {
	switch {
	case r == nil:
		return have.Clone()
	case have == nil:
		return r.Clone()
	}
	merged, ok := merge(r.comparison(have), r, have, decodeRule)
	if !ok { // r isn't valid, which Update is going to say
		merged = r.Clone()
	}
	merged.ID, merged.Enabled = have.ID, clonePointer(have.Enabled)
	return merged
}

func (r *Rule) comparison(have *Rule) *wire.Comparison {
	t := r.wireType()
	if t == "" {
		t = have.wireType()
	}
	c := &wire.Comparison{Model: r, Same: func(path, want, have string) bool {
		return have == "" && isLeftOut(t, path) || isSameInterval(path, want, have)
	}}
	if t == have.wireType() {
		c.Deferred = deferred(newInput(t))
	}
	return c
}

// isLeftOut reports whether responses may leave out a member of a rule.
func isLeftOut(t RuleType, path string) bool {
	switch path {
	case "input.version", "input.path", "input.sha256",
		"input.os_distro_name", "input.os_distro_revision", "input.os_version_extra":
		return true
	case "input.connection_id":
		return false
	default:
		return t == RuleTypeSentinelOneS2S && strings.HasPrefix(path, "input.")
	}
}

// Diff returns what to change in have so that it has the effect of i, as [Rule.Diff] does. Secrets are no difference,
// because responses leave them out. Nor are customer_id, access_client_id and members that this package has no field
// for, unless have holds another value.
func (i *Integration) Diff(have *Integration) []Difference {
	if i == nil {
		return nil
	}
	if have == nil {
		have = new(Integration)
	}
	isComparable := i.wireType() == have.wireType() && !isNil(have.Config)
	return diff(i.comparison(have), i.withoutSecrets(isComparable), have.withoutSecrets(isComparable))
}

// withoutSecrets returns a copy whose config has no secrets. Its unknown members, which may be secrets too, are kept only
// if they are going to be compared.
func (i *Integration) withoutSecrets(keepUnknown bool) *Integration {
	copied := i.Clone()
	if unknown, ok := copied.Config.(*UnknownConfig); ok && !keepUnknown {
		unknown.Raw = json.RawMessage("{}")
	}
	if isNil(copied.Config) {
		return copied
	}
	for _, field := range wire.Fields(copied.Config) {
		switch field := field.(type) {
		case *Secret:
			*field = ""
		case *map[string]json.RawMessage:
			if !keepUnknown {
				*field = nil
			}
		}
	}
	return copied
}

// Merge returns have with the members that i sets put over it, as [Rule.Merge] does. Update takes the members of the
// result that are to change. Its Config has the secrets of i only, for have has none.
func (i *Integration) Merge(have *Integration) *Integration {
	switch {
	case i == nil:
		return have.Clone()
	case have == nil:
		return i.Clone()
	}
	merged, ok := merge(i.comparison(have), i, have, decodeIntegration)
	if !ok { // i isn't valid, which Update is going to say
		merged = i.Clone()
	}
	kept := have.Clone()
	merged.ID, merged.Identifier, merged.Schema, merged.TestResults = kept.ID, kept.Identifier, kept.Schema, kept.TestResults
	return merged
}

func (i *Integration) comparison(have *Integration) *wire.Comparison {
	t := i.wireType()
	if t == "" {
		t = have.wireType()
	}
	c := &wire.Comparison{Model: i, Same: func(path, want, have string) bool {
		switch member, isInConfig := strings.CutPrefix(path, "config."); {
		case !isInConfig:
			return isSameInterval(path, want, have)
		case member == "api_url" || member == "auth_url" || member == "client_id":
			return false
		}
		return have == "" // responses may leave it out
	}}
	if t == have.wireType() {
		c.Deferred = deferred(newConfig(t))
	}
	return c
}

// deferred returns a model of the input or config that two of the same type have. Of a type that isn't known, each
// member is compared for itself, too.
func deferred(variant any) any {
	if variant == nil {
		return new(struct{})
	}
	return variant
}

// isSameInterval reports whether two values are intervals of the same length.
func isSameInterval(path, want, have string) bool {
	if path != "schedule" && path != "expiration" && path != "interval" {
		return false
	}
	var intervals [2]Interval
	if json.Unmarshal([]byte(want), &intervals[0]) != nil || json.Unmarshal([]byte(have), &intervals[1]) != nil {
		return false
	}
	wanted, err := intervals[0].Duration()
	if err != nil {
		return false
	}
	there, err := intervals[1].Duration()
	return err == nil && wanted == there
}

// An encoder is a rule or an integration as Create sends it.
type encoder interface{ encode() ([]byte, error) }

func diff(c *wire.Comparison, want, have encoder) []Difference {
	wanted, wantErr := want.encode()
	there, haveErr := have.encode()
	if wantErr != nil || haveErr != nil {
		return []Difference{{Want: wanted, Have: there}}
	}
	var differences []Difference
	for _, d := range c.Diff(string(wanted), string(there)) {
		difference := Difference{Field: d.Member, Want: json.RawMessage(d.Want)}
		if d.Have != "" {
			difference.Have = json.RawMessage(d.Have)
		}
		differences = append(differences, difference)
	}
	return differences
}

// merge reports false if the result can't be written or read.
func merge[T any](c *wire.Comparison, want, have encoder, decode func(text string) (*T, error)) (*T, bool) {
	wanted, err := want.encode()
	if err != nil {
		return nil, false
	}
	there, err := have.encode()
	if err != nil {
		return nil, false
	}
	merged, err := decode(c.Merge(string(wanted), string(there)))
	return merged, err == nil
}
