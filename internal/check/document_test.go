package check_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cfposture/cfposture/internal/check"
	"github.com/cfposture/cfposture/internal/wire"
)

func TestTypeSuggestsTheOneThatWasMeant(t *testing.T) {
	known := []string{"disk_encryption", "firewall"}
	for name, test := range map[string]struct {
		given, allow, want string
	}{
		"known":   {"firewall", "", ""},
		"none":    {"", "", ""},
		"a typo":  {"firewal", "", `"firewal" is not a type of rule: did you mean firewall?`},
		"allowed": {"firewal", "*", ""},
	} {
		d := wire.NewDocument([]byte("{}"), []string{test.allow}, "")
		check.Type(d, "rule", test.given, known)
		if test.want == "" {
			assert.Empty(t, d.Wrong, name)
		} else if assert.Len(t, d.Wrong, 1, name) {
			assert.Equal(t, test.want, d.Wrong[0].Reason)
		}
	}
}

func TestDocumentNamesAMemberOnce(t *testing.T) {
	d := wire.NewDocument([]byte("{}"), nil, "")
	d.Add("input.path", "is a number")
	p := check.Document(d, func(p *check.Problems) {
		p.Required("input.path", "")
		p.Required("name", "")
	})
	assert.Equal(t, []check.Problem{{Field: "input.path", Reason: "is a number"}, {Field: "name", Reason: "is required"}}, p.List)
}

func TestSubject(t *testing.T) {
	assert.Equal(t, `rule "a\n" (firewall)`, check.Subject("rule", "a\n", "firewall"))
	assert.Equal(t, "rule", check.Subject("rule", "", ""))
}
