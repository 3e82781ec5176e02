package wire

import "strings"

// DidYouMean returns a question for the one of the known names that was probably meant by a name, or "".
func DidYouMean(name string, known []string) string {
	if meant := nearest(name, known); meant != "" {
		return ": did you mean " + meant + "?"
	}
	return ""
}

// nearest returns the one of the known names that was probably meant by a name, or "". Case and underscores don't count,
// nor do one or two letters that are wrong, missing, too many or swapped. Of a known path, the last name counts.
func nearest(name string, known []string) string {
	const longest = 64 // no known name comes near it
	if len(name) > longest {
		return ""
	}
	folded := fold(name)
	found, least := "", len(folded)/4+2
	for _, candidate := range known {
		if d := distance(folded, fold(candidate[strings.LastIndex(candidate, ".")+1:])); d < least {
			found, least = candidate, d
		}
	}
	return found
}

var separators = strings.NewReplacer("_", "", "-", "", " ", "")

func fold(name string) []rune { return []rune(strings.ToLower(separators.Replace(name))) }

// distance counts the letters to insert, delete, replace or swap with their neighbor to make b of a.
func distance(a, b []rune) int {
	// Rows of the usual table: row[j] is the distance between the letters of a so far and the first j of b.
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range b {
			if a[i] == b[j] {
				next[j+1] = row[j]
			} else {
				next[j+1] = 1 + min(row[j], row[j+1], next[j])
			}
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], 1+before[j-1])
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
