package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/cli"
)

func printed(t *testing.T, table *cli.Table, columns int) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, table.Print(&b, columns))
	return b.String()
}

func TestTableAlignsColumnsByWhatTheyTakeOnATerminal(t *testing.T) {
	table := cli.NewTable("NAME", "TYPE", "COUNT")
	table.Row("Disks", "disk_encryption", 2)
	table.Row("最新の iOS", "os_version", 11)
	table.Row("e\u0301te\u0301", "file", 0)
	assert.Equal(t, ""+
		"NAME        TYPE             COUNT\n"+
		"Disks       disk_encryption      2\n"+
		"最新の iOS  os_version          11\n"+
		"e\u0301te\u0301         file                 0\n", printed(t, table, 0))
}

func TestTableKeepsToTheTerminalsWidth(t *testing.T) {
	names := map[string]string{
		"long":               strings.Repeat("n", 200),
		"long, wide":         strings.Repeat("規則", 100),
		"long, to the left":  strings.Repeat("חוק ", 50),
		"long, with accents": strings.Repeat("e\u0301", 200),
		"emoji":              strings.Repeat("🔒", 200),
		"short":              "n",
	}
	for title, name := range names {
		t.Run(title, func(t *testing.T) {
			table := cli.NewTable("NAME", "TYPE", "ID")
			table.Row(name, "client_certificate_v2", "f174e90a-fafe-4643-bbbc-4a0ed4fc8401")
			text := printed(t, table, 80)
			for line := range strings.Lines(text) {
				assert.LessOrEqual(t, cli.Width(strings.TrimSuffix(line, "\n")), 80, line)
			}
			assert.Contains(t, text, "client_certificate_v2", "a short column must not give way to a long one")
			assert.Equal(t, name != "n", strings.Contains(text, "…"), "a cut must show")
		})
	}
}

func TestTableCutsNothingInAPipe(t *testing.T) {
	name := strings.Repeat("n", 200)
	table := cli.NewTable("NAME", "TYPE")
	table.Row(name, "file")
	assert.Contains(t, printed(t, table, 0), name+"  file\n")
}

func TestTableGivesUpShrinkingBeforeColumnsVanish(t *testing.T) {
	table := cli.NewTable("NAME", "TYPE")
	table.Row(strings.Repeat("n", 20), "disk_encryption")
	assert.Equal(t, "NAME      TYPE\nnnnnnnn…  disk_en…\n", printed(t, table, 3))
}

func TestTextCanNotLeaveItsCell(t *testing.T) {
	tests := map[string]struct{ name, want string }{
		"line break":            {"a\nb", "a\uFFFDb"},
		"carriage return":       {"a\rb", "a\uFFFDb"},
		"escape sequence":       {"a\x1b[2Jb", "a\uFFFD[2Jb"},
		"C1 control":            {"a\u009b31mb", "a\uFFFD31mb"},
		"reversal of the order": {"a\u202eb", "a\uFFFDb"},
		"no UTF-8":              {"a\xffb", "a\uFFFDb"},
		"line separator":        {"a\u2028b", "a\uFFFDb"},
		"tab":                   {"a\tb", "a\uFFFDb"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			table := cli.NewTable("NAME", "TYPE")
			table.Row(test.name, "file")
			assert.Contains(t, printed(t, table, 80), test.want+" ")
			assert.Equal(t, test.want, cli.Clean(test.name))
		})
	}
}

func TestTextFromRightToLeftDoesNotDrawItsNeighboursAlong(t *testing.T) {
	table := cli.NewTable("NAME", "TYPE")
	table.Row("כלל", "file")
	assert.Contains(t, printed(t, table, 80), "\u2068כלל\u2069   file\n")
	assert.Equal(t, "\u2068\"כלל\"\u2069", cli.Quote("כלל"))
	assert.Equal(t, 5, cli.Width(cli.Quote("כלל")), "the marks take no room")
}

func TestQuoteEscapesWhatCanNotBeSeen(t *testing.T) {
	assert.Equal(t, `"a\n\x1b\u202e\"規"`, cli.Quote("a\n\x1b\u202e\"規"))
}

func TestFitFillsOrCuts(t *testing.T) {
	tests := map[string]struct {
		text  string
		width int
		want  string
	}{
		"shorter":                  {"abc", 5, "abc  "},
		"as long":                  {"abcde", 5, "abcde"},
		"longer":                   {"abcdef", 5, "abcd…"},
		"half of a wide character": {"規規規", 4, "規… "},
		"nothing":                  {"", 2, "  "},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			got := cli.Fit(test.text, test.width)
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.width, cli.Width(got))
		})
	}
}
