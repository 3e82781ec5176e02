package workload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// Drawn is the response to a request for a list of n rules whose shape is drawn by a seed: which members they have, how
// long their strings are, how many matches there are, and what no document names.
func Drawn(seed uint64, n int) []byte {
	d := drawing{rand.New(rand.NewPCG(seed, seed)), Kinds()} //nolint:gosec // to be drawn again by the same seed
	list := []byte(`{"errors":[],"messages":[],"result":[`)
	for i := range n {
		if i > 0 {
			list = append(list, ',')
		}
		var rule bytes.Buffer
		encoder := json.NewEncoder(&rule) // which writes members in the order of their names, as the API does
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(d.rule(i)); err != nil {
			panic(err) // strings and JSON of our own
		}
		list = append(list, bytes.TrimSpace(rule.Bytes())...)
	}
	return appendListEnd(list, n)
}

type drawing struct {
	*rand.Rand
	kinds []Kind
}

func (d drawing) rule(i int) map[string]any {
	kind := d.kinds[d.IntN(len(d.kinds))]
	rule := map[string]any{"id": RuleID(i), "name": d.text(1, 60), "type": kind.Type}
	if input := d.input(kind); input != nil {
		rule["input"] = input
	}
	if d.oneIn(2) {
		rule["description"] = d.text(0, 200)
	}
	if !d.oneIn(4) {
		rule["schedule"] = fmt.Sprintf("%dm", 1+d.IntN(60))
	}
	if d.oneIn(3) {
		rule["expiration"] = fmt.Sprintf("%dh", 1+d.IntN(48))
	}
	if !d.oneIn(5) {
		match := make([]map[string]string, d.IntN(4))
		for i := range match {
			match[i] = map[string]string{"platform": apifacts.Platforms[d.IntN(len(apifacts.Platforms))]}
		}
		rule["match"] = match
	}
	d.addUnknown(rule)
	return rule
}

// input leaves out one member in five.
func (d drawing) input(kind Kind) map[string]any {
	if kind.Input == "" {
		return nil
	}
	var input map[string]any
	if err := json.Unmarshal([]byte(kind.Input), &input); err != nil {
		panic(err) // a sample of our own
	}
	for _, name := range slices.Sorted(maps.Keys(input)) {
		if d.oneIn(5) {
			delete(input, name)
		}
	}
	d.addUnknown(input)
	return input
}

// addUnknown adds a member to one object in ten.
func (d drawing) addUnknown(object map[string]any) {
	if d.oneIn(10) {
		object["x_"+d.text(1, 12)] = []any{d.text(0, 20), d.IntN(1000), d.oneIn(2), nil}[d.IntN(4)]
	}
}

func (d drawing) oneIn(n int) bool { return d.IntN(n) == 0 }

// text is of a length between two, mostly letters. One in twenty holds what needs an escape, one what is not ASCII.
func (d drawing) text(least, most int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.0123456789"
	var b strings.Builder
	for range least + d.IntN(most-least+1) {
		b.WriteByte(letters[d.IntN(len(letters))])
	}
	switch d.IntN(20) {
	case 0:
		b.WriteString(`C:\"Program Files"`)
	case 1:
		b.WriteString("é日本")
	}
	return b.String()
}
