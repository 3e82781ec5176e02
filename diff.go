package cfposture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/interval"
	"github.com/cfposture/cfposture/internal/variant"
	"github.com/cfposture/cfposture/internal/wire"
)

// A Difference is a member in which a wanted rule or integration differs from the existing one.
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
	return api.Printable(fmt.Sprintf("%s: want %s, have %s", d.Field, string(d.Want), have))
}

// Diff returns what to change in have so that it has the effect of r: one Difference for each member, and none if no
// change is needed. Members are compared by meaning: 60m equals 1h. The order of Match, of other lists and of JSON members
// doesn't matter. Members that only the API sets, such as the ID, are ignored.
//
// Members that r leaves out are ignored too; nil and "" are left out, whereas a list that is empty but not nil asks for an
// empty one. Some members are missing from some responses: version, path, sha256, os_distro_name, os_distro_revision,
// os_version_extra, and most of [SentinelOneS2SInput]. They are a difference only if have holds another value.
func (r *Rule) Diff(have *Rule) []Difference {
	if r == nil {
		return nil
	}
	have = cmp.Or(have, new(Rule))
	return diff(r.comparison(have), r, have)
}

// Merge returns a copy of have in which the members that r sets have r's values, to pass to Update. It keeps have's ID, the
// members that r leaves out, and those that this package has no field for. Neither r nor have changes, and the result
// shares no memory with them. If r is of another type, its whole input is used; the API refuses such an Update: create r
// and delete have.
func (r *Rule) Merge(have *Rule) *Rule {
	if r == nil || have == nil {
		return cmp.Or(r, have).Clone()
	}
	merged := merge(r.comparison(have), r, have, decodeRule)
	kept := have.Clone()
	merged.ID, merged.Enabled = kept.ID, kept.Enabled
	return merged
}

func (r *Rule) comparison(have *Rule) *wire.Comparison {
	t := cmp.Or(r.wireType(), have.wireType())
	return variant.NewComparison(r, t == have.wireType(), newInput(t), func(path, want, have string) bool {
		return isSameInterval(path, want, have) || have == "" && isLeftOut(t, path)
	})
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

// Diff returns what to change in have so that it has the effect of i, as [Rule.Diff] does. Secrets are ignored, because
// responses leave them out. customer_id, access_client_id and members that this package has no field for are a difference
// only if have holds another value.
func (i *Integration) Diff(have *Integration) []Difference {
	if i == nil {
		return nil
	}
	have = cmp.Or(have, new(Integration))
	isComparable := i.wireType() == have.wireType() && hasMembers(i.Config) && hasMembers(have.Config)
	return diff(i.comparison(have), i.withoutSecrets(isComparable), have.withoutSecrets(isComparable))
}

// Merge returns a copy of have in which the members that i sets have i's values, like [Rule.Merge]. The Config of the result
// has only the secrets of i, so i must set them for this Update:
//
//	client.Integrations.Update(ctx, have.ID, cfposture.IntegrationUpdate{Interval: &merged.Interval, Config: merged.Config})
func (i *Integration) Merge(have *Integration) *Integration {
	if i == nil || have == nil {
		return cmp.Or(i, have).Clone()
	}
	merged := merge(i.comparison(have), i, have, decodeIntegration)
	kept := have.Clone()
	merged.ID, merged.Identifier, merged.Schema, merged.TestResults = kept.ID, kept.Identifier, kept.Schema, kept.TestResults
	return merged
}

func (i *Integration) comparison(have *Integration) *wire.Comparison {
	t := cmp.Or(i.wireType(), have.wireType())
	return variant.NewComparison(i, t == have.wireType(), newConfig(t), func(path, want, have string) bool {
		switch member, isInConfig := strings.CutPrefix(path, "config."); {
		case !isInConfig:
			return isSameInterval(path, want, have)
		case member == "api_url" || member == "auth_url" || member == "client_id":
			return false
		}
		return have == "" // responses may leave it out
	})
}

// hasMembers reports whether a config has members by which to tell secrets from others, and not just raw bytes.
func hasMembers(config IntegrationConfig) bool {
	unknown, is := config.(*UnknownConfig)
	return !variant.IsNil(config) && (!is || bytes.HasPrefix(bytes.TrimSpace(unknown.Raw), []byte("{")))
}

// withoutSecrets returns a copy whose config has no secrets. It has unknown members, which may be secrets too, only if
// they are going to be compared with what came back, and then none whose name says that it is one.
func (i *Integration) withoutSecrets(keepUnknown bool) *Integration {
	copied := i.Clone()
	if unknown, ok := copied.Config.(*UnknownConfig); ok && unknown != nil {
		if unknown.Raw = variant.WithoutSecretMembers(unknown.Raw); !keepUnknown {
			unknown.Raw = json.RawMessage("{}")
		}
	}
	if !variant.IsNil(copied.Config) {
		variant.DropSecrets(copied.Config, keepUnknown)
	}
	return copied
}

// isSameInterval reports whether two values are intervals of the same length.
func isSameInterval(path, want, have string) bool {
	if path != "schedule" && path != "expiration" && path != "interval" {
		return false
	}
	var wanted, there string
	return json.Unmarshal([]byte(want), &wanted) == nil && json.Unmarshal([]byte(have), &there) == nil &&
		interval.IsSame(wanted, there)
}

func diff(c *wire.Comparison, want, have payload) []Difference {
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

// merge returns have with the members of want over it. What can't be encoded it returns as it is, for Update to refuse.
func merge[T any](c *wire.Comparison, want, have model[T], decode func(*wire.Decoder) (*T, error)) *T {
	wanted, err := want.encode()
	if err != nil {
		return want.clone()
	}
	there, err := have.encode()
	if err != nil {
		return have.clone()
	}
	merged, err := decode(wire.NewDecoder([]byte(c.Merge(string(wanted), string(there)))))
	if err != nil {
		return want.clone()
	}
	return merged
}
