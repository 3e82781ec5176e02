package wire

import (
	"bytes"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A Difference is a member on which two objects don't agree.
type Difference struct {
	Member     string // its path
	Want, Have string // the texts of its values; Have is "" if there is none
}

// A Comparison compares two objects, want and have, member by member. What want leaves out, or has as null or "", is not
// compared. The arrays that have a field are sets: order and repetition don't matter.
type Comparison struct {
	// Model points to a struct with fields for the objects' members.
	Model any
	// Variant points to such a struct for the variant. If it is nil, that member is compared as a whole.
	Variant any
	// Same reports whether the values of a member are equal although they may look different. Have is "" if there is
	// none.
	Same func(path, want, have string) bool
}

// Diff returns the members of want that have lacks or that have another meaning in it. Both are valid JSON.
func (c *Comparison) Diff(want, have string) []Difference {
	return c.diff(nil, "", infoOf(reflect.TypeOf(c.Model).Elem()), want, have)
}

// Merge returns have with the members of want put over it. A set that is equal stays as it is in have. Objects with
// fields are merged in turn, and an element of an array that doesn't differ from one of have is replaced by that; all else
// is taken from want as it is.
func (c *Comparison) Merge(want, have string) string {
	return c.merge("", infoOf(reflect.TypeOf(c.Model).Elem()), want, have)
}

func (c *Comparison) diff(found []Difference, path string, s *structInfo, want, have string) []Difference {
	in := maps.Collect(members(have))
	for name, value := range members(want) {
		found = c.diffMember(found, join(path, name), s.find(name), value, in[name])
	}
	return found
}

func (c *Comparison) diffMember(found []Difference, path string, f *field, want, have string) []Difference {
	if isUnset(have) {
		have = ""
	}
	switch inner := c.within(f, want, have); {
	case isUnset(want) || c.Same(path, want, have):
		return found
	case inner != nil:
		return c.diff(found, path, inner, want, have)
	case f != nil && want[0] == '[' && c.isSameSet(path, f, want, have):
		return found
	case have == "" && want == "{}", have != "" && Equal(want, have):
		return found
	}
	return append(found, Difference{path, want, have})
}

// within returns the fields by which to compare two objects, or nil if the values are to be compared as wholes.
func (c *Comparison) within(f *field, want, have string) *structInfo {
	switch {
	case f == nil || want[0] != '{' || have != "" && have[0] != '{':
		return nil
	case f.kind == kindVariant && c.Variant != nil && have != "":
		return infoOf(reflect.TypeOf(c.Variant).Elem())
	case f.kind == kindObject:
		return f.inner
	}
	return nil
}

// isSameSet reports whether each array has an equal element for every element of the other.
func (c *Comparison) isSameSet(path string, f *field, want, have string) bool {
	if have != "" && have[0] != '[' {
		return false
	}
	matched := map[int]bool{}
	wanted, there := elements(want), elements(have)
	for _, element := range wanted {
		isThere := false
		for i := range there {
			if c.isSameElement(path, f, element, there[i]) {
				isThere, matched[i] = true, true
			}
		}
		if !isThere {
			return false
		}
	}
	return len(matched) == len(there)
}

func (c *Comparison) isSameElement(path string, f *field, want, have string) bool {
	if f.kind == kindObjects && want[0] == '{' && have[0] == '{' {
		return len(c.diff(nil, path, f.inner, want, have)) == 0
	}
	return Equal(want, have)
}

func (c *Comparison) merge(path string, s *structInfo, want, have string) string {
	over := map[string]string{}
	for name, value := range members(want) {
		if !isUnset(value) {
			over[name] = value
		}
	}
	merged, isOver := new(Encoder), map[string]bool{}
	start := merged.Begin()
	for name, value := range members(have) {
		if wanted, ok := over[name]; ok {
			if isOver[name] { // the member stands twice
				continue
			}
			value, isOver[name] = c.mergeValue(join(path, name), s.find(name), wanted, value), true
		}
		merged.member(name, []byte(value))
	}
	for _, name := range slices.Sorted(maps.Keys(over)) {
		if !isOver[name] {
			merged.member(name, []byte(over[name]))
		}
	}
	merged.End(start, nil)
	return string(merged.text)
}

func (c *Comparison) mergeValue(path string, f *field, want, have string) string {
	switch inner := c.within(f, want, have); {
	case inner != nil:
		return c.merge(path, inner, want, have)
	case f != nil && want[0] == '[' && have[0] == '[' && c.isSameSet(path, f, want, have):
		return have
	case f == nil || f.kind != kindObjects || want[0] != '[' || have[0] != '[':
		return want
	}
	merged, there := elements(want), elements(have)
	for i, element := range merged {
		same := func(other string) bool { return c.isSameElement(path, f, element, other) }
		if j := slices.IndexFunc(there, same); j >= 0 {
			merged[i] = there[j]
		}
	}
	return "[" + strings.Join(merged, ",") + "]"
}

// isUnset reports whether a value is absent, null or "".
func isUnset(value string) bool { return value == "" || value == "null" || value == `""` }

// members yields the members of an object, and none of anything else.
func members(text string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		if text == "" || text[0] != '{' {
			return
		}
		s := NewScanner([]byte(text))
		for s.Open('{'); s.Next('}'); {
			if name := s.Name(); !yield(string(name), string(s.Value())) {
				return
			}
		}
	}
}

// elements returns the elements of an array, and none of anything else.
func elements(text string) []string {
	if text == "" || text[0] != '[' {
		return nil
	}
	var all []string
	s := NewScanner([]byte(text))
	for s.Open('['); s.Next(']'); {
		all = append(all, string(s.Value()))
	}
	return all
}

// Equal reports whether two valid JSON texts have the same meaning: numbers may be written in other digits, strings with
// other escapes, and members in another order.
func Equal(a, b string) bool {
	if a == b {
		return true
	}
	if Describe(a[0]) != Describe(b[0]) {
		return false
	}
	switch a[0] {
	case '"':
		return bytes.Equal(NewScanner([]byte(a)).String(), NewScanner([]byte(b)).String())
	case '{':
		return maps.EqualFunc(maps.Collect(members(a)), maps.Collect(members(b)), Equal)
	case '[':
		return slices.EqualFunc(elements(a), elements(b), Equal)
	case 't', 'f', 'n':
		return false
	}
	return sameNumber(a, b)
}

// sameNumber reports whether two JSON numbers have the same value, which may be beyond what a float64 holds.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	negativeA, digitsA, exponentA, okA := decimal(a)
	negativeB, digitsB, exponentB, okB := decimal(b)
	return okA && okB && negativeA == negativeB && digitsA == digitsB && exponentA == exponentB
}

// decimal splits a JSON number into its sign, its digits without zeros at the ends, and the power of ten to multiply them
// by. It reports false for an exponent that is out of all bounds.
func decimal(number string) (negative bool, digits string, exponent int, ok bool) {
	number, negative = strings.CutPrefix(number, "-")
	mantissa, power := number, ""
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		mantissa, power = number[:i], number[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return false, "", 0, true
	}
	if power != "" {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil {
			return false, "", 0, false
		}
	}
	exponent -= len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	return negative, trimmed, exponent + len(digits) - len(trimmed), true
}
