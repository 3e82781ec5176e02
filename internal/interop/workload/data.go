// Package workload is what the comparisons of clients work on: the same bytes through the same transport in memory, and
// for each client the same operations.
package workload

import (
	"fmt"
	"strings"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// A Kind is a rule's type with an input as the API sends it; Input is empty for a rule that has none.
type Kind struct{ Type, Input string }

// Kinds are a sample of every rule type with all its members, and four of what the API sends beside its documents:
// members that no document names, members of other types, a required member that is not there.
func Kinds() []Kind {
	var kinds []Kind
	for _, t := range apifacts.RuleTypes {
		kinds = append(kinds, Kind{t.Name, wholeNumbers.Replace(t.Input)})
	}
	return append(kinds,
		Kind{"application", `{"flavor":"application","operating_system":"windows","path":"C:\\Program Files\\Agent\\agent.exe","running":true}`},
		Kind{"os_version", `{"enabled":false,"operator":">=","version":"14.5.0"}`},
		Kind{"disk_encryption", `{"checkDisks":[],"operating_system":"mac","requireAll":true}`},
		Kind{"crowdstrike_s2s", `{"connection_id":"` + apifacts.ConnectionID + `","enabled":false,"operator":">=","overall":"90"}`},
	)
}

// wholeNumbers takes the decimals out of the samples: with one of them in a list, cloudflare-go v0 reads nothing of it.
var wholeNumbers = strings.NewReplacer(":85.5", ":85", ":70.5", ":70")

// AccountID is the account of every workload.
const AccountID = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

// AppendRule appends the i-th rule of a list, of the i-th of Kinds counted round, with its members in the API's order.
func AppendRule(dst []byte, kinds []Kind, i int) []byte {
	kind := kinds[i%len(kinds)]
	dst = fmt.Appendf(dst, `{"description":"Checks %s","expiration":"1h","id":"%s",`, kind.Type, RuleID(i))
	if kind.Input != "" {
		dst = fmt.Appendf(dst, `"input":%s,`, kind.Input)
	}
	return fmt.Appendf(dst, `"match":[{"platform":"%s"}],"name":"Rule %d of the workload","schedule":"5m","type":"%s"}`,
		apifacts.Platforms[i%len(apifacts.Platforms)], i, kind.Type)
}

// RuleID is the ID of the i-th rule.
func RuleID(i int) string { return fmt.Sprintf("f174e90a-fafe-4643-bbbc-%012x", i) }

// List is the response to a request for a list of n rules, all in one page.
func List(n int) []byte {
	kinds := Kinds()
	list := []byte(`{"errors":[],"messages":[],"result":[`)
	for i := range n {
		if i > 0 {
			list = append(list, ',')
		}
		list = AppendRule(list, kinds, i)
	}
	return appendListEnd(list, n)
}

func appendListEnd(list []byte, n int) []byte {
	return fmt.Appendf(list, `],"result_info":{"count":%d,"page":1,"per_page":%d,"total_count":%d,"total_pages":1},"success":true}`, n, n, n)
}

// One is the answer to a request for a rule, or to one that creates it.
func One(i int) []byte {
	return append(AppendRule([]byte(`{"errors":[],"messages":[],"result":`), Kinds(), i), `,"success":true}`...)
}
