package check_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cfposture/cfposture/internal/check"
)

type secret string

type config struct {
	URL      string                     `json:"url"`
	ID       string                     `json:"id"`
	Password secret                     `json:"password"`
	Extra    map[string]json.RawMessage `json:",embed"`
}

func TestProblems(t *testing.T) {
	for name, test := range map[string]struct {
		check func(p *check.Problems)
		want  string
	}{
		"required":       {func(p *check.Problems) { p.Required("path", "") }, "path is required"},
		"required, set":  {func(p *check.Problems) { p.Required("path", "/x") }, ""},
		"a nil pointer":  {func(p *check.Problems) { p.RequiredIsSet("on", false) }, "on is required"},
		"no ID":          {func(p *check.Problems) { p.ID("id", "") }, "id is required"},
		"a long ID":      {func(p *check.Problems) { p.IDLength("id", strings.Repeat("é", 37)) }, "id has 37 characters, more than 36"},
		"an ID":          {func(p *check.Problems) { p.ID("id", strings.Repeat("é", 36)) }, ""},
		"no interval":    {func(p *check.Problems) { p.Interval("schedule", "soon") }, `schedule "soon" is not an interval such as 5m or 1h`},
		"below zero":     {func(p *check.Problems) { p.Interval("schedule", "-1m") }, `schedule is "-1m", which is negative`},
		"an interval":    {func(p *check.Problems) { p.Interval("schedule", "2d"); p.Interval("schedule", "") }, ""},
		"none of":        {func(p *check.Problems) { check.OneOf(p, "operator", "=", "<", "==") }, `operator "=" is none of <, ==`},
		"one of":         {func(p *check.Problems) { check.OneOf(p, "operator", "<", "<"); check.OneOf(p, "operator", "", "<") }, ""},
		"infinite":       {func(p *check.Problems) { p.Number("score", new(math.Inf(1))) }, "score is +Inf, which JSON can't write"},
		"a number":       {func(p *check.Problems) { p.Number("score", new(0.0)); p.Number("score", nil) }, ""},
		"a variable":     {func(p *check.Problems) { p.Variables("cn", "${a}-${b}-${", "${a}") }, "cn has the unknown variable ${b}: use ${a}"},
		"raw":            {func(p *check.Problems) { p.In("input", func() { p.Raw([]byte("{")) }) }, "input is not valid JSON"},
		"nothing":        {func(p *check.Problems) { p.Raw(nil); p.Raw([]byte("{}")) }, ""},
		"within":         {func(p *check.Problems) { p.In("a", func() { p.In("b", func() { p.Add("c", "is odd") }) }) }, "a.b.c is odd"},
		"an element":     {func(p *check.Problems) { p.In("a", func() { p.Add("[0]", "is odd") }) }, "a[0] is odd"},
		"back outside":   {func(p *check.Problems) { p.In("a", func() {}); p.Add("b", "is odd") }, "b is odd"},
		"extra":          {func(p *check.Problems) { p.Extra(&config{Extra: map[string]json.RawMessage{"url": nil}}) }, "url"},
		"empty strings":  {func(p *check.Problems) { p.RequireStrings(&config{}, "id") }, "url is required; password is wanted"},
		"strings, set":   {func(p *check.Problems) { p.RequireStrings(&config{URL: "u", ID: "i", Password: "p"}) }, ""},
		"optional alone": {func(p *check.Problems) { p.RequireStrings(&config{URL: "u", ID: "i"}, "password") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := &check.Problems{MissingSecret: "is wanted"}
			test.check(p)
			var texts []string
			for _, problem := range p.List {
				texts = append(texts, strings.TrimSpace(problem.Field+" "+problem.Reason))
			}
			if text := strings.Join(texts, "; "); test.want == "" {
				assert.Empty(t, text)
			} else {
				assert.Contains(t, text, test.want)
			}
		})
	}
}
