package live_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// longList is how many rules the questions about paging need: more than the usual size of a page.
const longList = 25

const missingID = "00000000-0000-4000-8000-000000000000"

// A question is something that the facts leave open. It finds out and never fails because of what it finds.
type question struct {
	text string
	ask  func(*run, *testing.T) (found string)
}

// notAsked is the finding if the account lacks something.
func notAsked(variable string) string { return "not asked: " + variable + " is not set" }

var questions = []question{
	{"GET of a rule that doesn't exist", func(r *run, t *testing.T) string {
		return r.wire.send(t, "GET", "/"+missingID, "").outcome()
	}},
	{"DELETE of a rule that doesn't exist", func(r *run, t *testing.T) string {
		return r.wire.send(t, "DELETE", "/"+missingID, "").outcome()
	}},
	{"DELETE of an integration that doesn't exist", func(r *run, t *testing.T) string {
		return r.wire.send(t, "DELETE", "/integration/"+missingID, "").outcome()
	}},
	{"content type of the list of integrations", func(r *run, t *testing.T) string {
		return r.wire.send(t, "GET", "/integration", "").header.Get("Content-Type")
	}},
	{"expiration in a response if it was unset", func(r *run, t *testing.T) string {
		return r.post(t, `"type":"warp"`).member("expiration")
	}},
	{"checkDisks in a response if it was unset", func(r *run, t *testing.T) string {
		return r.post(t, `"type":"disk_encryption","input":{"requireAll":true}`).member("input", "checkDisks")
	}},
	{"a rule that needs an input, without one", func(r *run, t *testing.T) string {
		return r.post(t, `"type":"disk_encryption"`).outcome()
	}},
	{"expiration that equals the schedule", func(r *run, t *testing.T) string {
		return r.kept(t, `"type":"warp","schedule":"1h","expiration":"1h"`, "expiration")
	}},
	{"schedule in seconds", func(r *run, t *testing.T) string {
		return r.kept(t, `"type":"warp","schedule":"90s"`, "schedule")
	}},
	{"expiration in days", func(r *run, t *testing.T) string {
		return r.kept(t, `"type":"warp","expiration":"2d"`, "expiration")
	}},
	{"POST of a rule with enabled false", func(r *run, t *testing.T) string {
		return r.kept(t, `"type":"warp","enabled":false`, "enabled")
	}},
	{"PUT of a rule with its read-only members", (*run).putReadOnly},
	{"PUT of a rule with another type", (*run).putOtherType},
	{"unique_client_id without operating_system", func(r *run, t *testing.T) string {
		if r.list == "" {
			return notAsked(envList)
		}
		return r.post(t, `"type":"unique_client_id","input":{"id":"`+r.list+`"}`).outcome()
	}},
	{"members of inputs that responses leave out", (*run).omitted},
	{"a long list without a query", (*run).listAll},
	{"a long list with per_page=10", (*run).listPerPage},
	{"its second page", (*run).listSecondPage},
	{"members of a config in a response", (*run).configMembers},
	{"PATCH of a part of a config", (*run).patchPart},
	{"PATCH of a whole config", (*run).patchWhole},
	{"DELETE of an integration that a rule names", (*run).deleteInUse},
	{"a custom score with decimals", (*run).decimals},
}

// findings asks every question and returns the findings by question.
func (r *run) findings(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, q := range questions {
		t.Run(q.text, func(t *testing.T) { found[q.text] = q.ask(r, t) })
	}
	return found
}

// table shows the findings in the order of the questions.
func table(found map[string]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "QUESTION\tFOUND")
	for _, q := range questions {
		fmt.Fprintf(w, "%s\t%s\n", q.text, found[q.text])
	}
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}

// post creates a rule of the members and a name by which the run sweeps it up.
func (r *run) post(t *testing.T, members string) reply {
	t.Helper()
	return r.wire.send(t, "POST", "", `{"name":"`+r.prefix+`question",`+members+`}`)
}

// kept creates a rule and says what became of a member.
func (r *run) kept(t *testing.T, members, name string) string {
	t.Helper()
	got := r.post(t, members)
	if !got.Success {
		return got.outcome()
	}
	return "accepted, comes back as " + got.member(name)
}

func (r *run) putReadOnly(t *testing.T) string {
	created := r.post(t, `"type":"warp"`)
	if !created.Success {
		return "no rule: " + created.outcome()
	}
	sent := created.members()
	sent["enabled"] = json.RawMessage("false")
	got := r.wire.send(t, "PUT", "/"+created.id(), encode(sent))
	if !got.Success {
		return got.outcome()
	}
	return "accepted, enabled false comes back as " + got.member("enabled")
}

func (r *run) putOtherType(t *testing.T) string {
	created := r.post(t, `"type":"warp"`)
	got := r.wire.send(t, "PUT", "/"+created.id(), `{"name":"`+r.prefix+`question","type":"gateway"}`)
	if !got.Success {
		return got.outcome()
	}
	return "accepted, the type is " + got.member("type")
}

// omitted creates a whole rule of every type that needs nothing of the account.
func (r *run) omitted(t *testing.T) string {
	var missing []string
	for _, ruleType := range apifacts.RuleTypes {
		if ruleType.Input == "" || needsAccount(ruleType) {
			continue
		}
		got := r.post(t, `"type":"`+ruleType.Name+`","input":`+ruleType.Input)
		if !got.Success {
			missing = append(missing, ruleType.Name+" is "+got.outcome())
			continue
		}
		returned := got.members("input")
		for _, member := range ruleType.Members {
			if _, ok := returned[member.Name]; !ok {
				missing = append(missing, ruleType.Name+"."+member.Name)
			}
		}
	}
	if missing == nil {
		return "none"
	}
	return strings.Join(missing, ", ")
}

// needsAccount reports whether rules of the type name an integration, a list or a certificate.
func needsAccount(ruleType apifacts.RuleType) bool {
	return slices.ContainsFunc(ruleType.Members, func(m apifacts.Member) bool {
		return m.Name == "connection_id" || m.Name == "id" || m.Name == "certificate_id"
	})
}

func (r *run) listAll(t *testing.T) string {
	for range longList {
		if created := r.post(t, `"type":"warp"`); !created.Success {
			return "no rules: " + created.outcome()
		}
	}
	got := r.wire.send(t, "GET", "", "")
	info := "without result_info"
	if got.ResultInfo != nil {
		info = "result_info " + string(got.ResultInfo)
	}
	size := "all or more than a page"
	if len(got.ids()) < longList {
		size = fmt.Sprintf("%d, not all", len(got.ids()))
	}
	return size + ", " + info
}

func (r *run) listPerPage(t *testing.T) string {
	got := r.wire.send(t, "GET", "?per_page=10", "")
	switch n := len(got.ids()); {
	case !got.Success:
		return got.outcome()
	case n == 10:
		return "10 rules"
	default:
		return "ignored"
	}
}

func (r *run) listSecondPage(t *testing.T) string {
	first, second := r.wire.send(t, "GET", "?page=1&per_page=10", ""), r.wire.send(t, "GET", "?page=2&per_page=10", "")
	switch {
	case !second.Success:
		return second.outcome()
	case slices.Equal(first.ids(), second.ids()):
		return "the same as the first"
	}
	for _, id := range second.ids() {
		if slices.Contains(first.ids(), id) {
			return "overlaps with the first"
		}
	}
	return fmt.Sprintf("%d other rules", len(second.ids()))
}

// newIntegration creates the integration that the run was given; found is not empty if there is none.
func (r *run) newIntegration(t *testing.T) (created reply, sent map[string]json.RawMessage, found string) {
	t.Helper()
	if len(r.integration) == 0 {
		return reply{}, nil, notAsked(envIntegration)
	}
	if err := json.Unmarshal(r.integration, &sent); err != nil {
		return reply{}, nil, "not asked: " + envIntegration + " is no JSON object"
	}
	sent["name"] = json.RawMessage(`"` + r.prefix + `question"`)
	created = r.wire.send(t, "POST", "/integration", encode(sent))
	if !created.Success {
		found = "no integration: " + created.outcome()
	}
	return created, sent, found
}

func (r *run) configMembers(t *testing.T) string {
	created, _, found := r.newIntegration(t)
	if found != "" {
		return found
	}
	return strings.Join(slices.Sorted(maps.Keys(created.members("config"))), ", ")
}

func (r *run) patchPart(t *testing.T) string {
	created, sent, found := r.newIntegration(t)
	if found != "" {
		return found
	}
	var config map[string]json.RawMessage
	if json.Unmarshal(sent["config"], &config) != nil {
		return "not asked: the config is no JSON object"
	}
	part := map[string]json.RawMessage{}
	for _, secret := range apifacts.Secrets() {
		if value, ok := config[secret]; ok {
			part[secret] = value
		}
	}
	got := r.wire.send(t, "PATCH", "/integration/"+created.id(), `{"config":`+encode(part)+`}`)
	switch {
	case !got.Success:
		return got.outcome()
	case maps.EqualFunc(created.members("config"), got.members("config"), slices.Equal):
		return "accepted, the rest comes back as before"
	}
	return "accepted, the rest is gone"
}

func (r *run) patchWhole(t *testing.T) string {
	created, sent, found := r.newIntegration(t)
	if found != "" {
		return found
	}
	return r.wire.send(t, "PATCH", "/integration/"+created.id(), `{"config":`+string(sent["config"])+`}`).outcome()
}

// ruleFor creates a rule that names a new integration, if the integration's type has rules of its own name.
func (r *run) ruleFor(t *testing.T, input string) (rule reply, integrationID, found string) {
	t.Helper()
	created, sent, found := r.newIntegration(t)
	if found != "" {
		return reply{}, "", found
	}
	var name string
	_ = json.Unmarshal(sent["type"], &name) // the API accepted it
	ruleType, ok := apifacts.FindRuleType(name)
	if !ok {
		return reply{}, "", "not asked: no rule is of the integration's type"
	}
	if input == "" {
		input = ruleType.Minimal
	}
	input = strings.ReplaceAll(input, apifacts.ConnectionID, created.id())
	return r.post(t, `"type":"`+name+`","input":`+input), created.id(), ""
}

func (r *run) deleteInUse(t *testing.T) string {
	rule, integrationID, found := r.ruleFor(t, "")
	switch {
	case found != "":
		return found
	case !rule.Success:
		return "no rule: " + rule.outcome()
	}
	return r.wire.send(t, "DELETE", "/integration/"+integrationID, "").outcome()
}

func (r *run) decimals(t *testing.T) string {
	if !strings.Contains(string(r.integration), `"custom_s2s"`) {
		return "not asked: " + envIntegration + " is no custom_s2s"
	}
	rule, _, found := r.ruleFor(t, `{"connection_id":"`+apifacts.ConnectionID+`","operator":">=","score":70.5}`)
	switch {
	case found != "":
		return found
	case !rule.Success:
		return rule.outcome()
	}
	return "accepted, comes back as " + rule.member("input", "score")
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(text)
}
