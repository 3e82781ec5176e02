package terminal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

func TestMain(m *testing.M) {
	text.EnableColors() // whatever TERM is where the tests run
	os.Exit(m.Run())
}

func printed(t *testing.T, table *terminal.Table, columns int) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, table.Print(&b, columns))
	return b.String()
}

func TestTableAlignsColumnsByWhatTheyTakeOnATerminal(t *testing.T) {
	table := terminal.NewTable("NAME", "TYPE", "COUNT")
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
			table := terminal.NewTable("NAME", "TYPE", "ID")
			table.Row(name, "client_certificate_v2", "f174e90a-fafe-4643-bbbc-4a0ed4fc8401")
			shown := printed(t, table, 80)
			for line := range strings.Lines(shown) {
				assert.LessOrEqual(t, terminal.Width(strings.TrimSuffix(line, "\n")), 80, line)
			}
			assert.Equal(t, 2, strings.Count(shown, "\n"), "a cell is cut, not wrapped")
			assert.Contains(t, shown, "client_certificate_v2", "a short column must not give way to a long one")
			assert.Equal(t, name != "n", strings.Contains(shown, "…"), "a cut must show")
		})
	}
}

func TestTableCutsNothingInAPipe(t *testing.T) {
	name := strings.Repeat("n", 200)
	table := terminal.NewTable("NAME", "TYPE")
	table.Row(name, "file")
	assert.Contains(t, printed(t, table, 0), name+"  file\n")
}

func TestTableGivesUpShrinkingBeforeColumnsVanish(t *testing.T) {
	table := terminal.NewTable("NAME", "TYPE")
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
			table := terminal.NewTable("NAME", "TYPE")
			table.Row(test.name, "file")
			assert.Contains(t, printed(t, table, 80), test.want+" ")
			assert.Equal(t, test.want, terminal.Clean(test.name))
		})
	}
}

func TestTextFromRightToLeftDoesNotReorderItsNeighbors(t *testing.T) {
	table := terminal.NewTable("NAME", "TYPE")
	table.Row("כלל", "file")
	assert.Contains(t, printed(t, table, 80), "\u2068כלל\u2069   file\n")
	assert.Equal(t, "\u2068\"כלל\"\u2069", terminal.Quote("כלל"))
	assert.Equal(t, 5, terminal.Width(terminal.Quote("כלל")), "the marks take no room")
}

func TestQuoteEscapesWhatCanNotBeSeen(t *testing.T) {
	assert.Equal(t, `"a\n\x1b\u202e\"規"`, terminal.Quote("a\n\x1b\u202e\"規"))
}

func TestCutShowsThatItDid(t *testing.T) {
	tests := map[string]struct {
		text  string
		width int
		want  string
	}{
		"shorter":                  {"abc", 5, "abc"},
		"as long":                  {"abcde", 5, "abcde"},
		"longer":                   {"abcdef", 5, "abcd…"},
		"half of a wide character": {"規規規", 4, "規…"},
		"no limit":                 {"abcdef", 0, "abcdef"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			assert.Equal(t, test.want, terminal.Cut(test.text, test.width))
		})
	}
}

func TestErrorsHaveALineEachAndNothingElseBeginsOne(t *testing.T) {
	tests := map[string]struct {
		err  error
		want string
	}{
		"one":     {errors.New("cfposture: no\nluck\x1b[2J"), "prog: no\uFFFDluck\uFFFD[2J\n"},
		"joined":  {errors.Join(errors.New("a"), errors.Join(errors.New("b\nc"), errors.New("d"))), "prog: a\nprog: b\uFFFDc\nprog: d\n"},
		"wrapped": {fmt.Errorf("all: %w", errors.Join(errors.New("a"), errors.New("b"))), "prog: all: a\uFFFDb\n"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			var stderr strings.Builder
			(&terminal.Terminal{Err: &stderr}).PrintError("prog", test.err)
			assert.Equal(t, test.want, stderr.String())
		})
	}
}

func TestConfirmTakesYesForYesAndAllElseForNo(t *testing.T) {
	tests := map[string]struct {
		answer string
		want   bool
		err    error
	}{
		"y":          {"y\n", true, nil},
		"Yes":        {" Yes \n", true, nil},
		"n":          {"n\n", false, nil},
		"return":     {"\n", false, nil},
		"other":      {"maybe\n", false, nil},
		"no newline": {"yes", true, nil},
		"no answer":  {"", false, terminal.ErrNoAnswer},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			var stderr strings.Builder
			asked := &terminal.Terminal{In: strings.NewReader(test.answer), Err: &stderr}
			got, err := asked.Confirm(t.Context(), "Really?")
			require.ErrorIs(t, err, test.err)
			assert.Equal(t, test.want, got)
			assert.Equal(t, "Really? [y/N]", strings.TrimSpace(stderr.String()))
		})
	}
}

func TestConfirmEndsWithTheContext(t *testing.T) {
	never, _ := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	agreed, err := (&terminal.Terminal{In: never, Err: io.Discard}).Confirm(ctx, "Really?")
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, agreed)
}

// pretend returns a terminal whose streams are one if isTerminal says so.
func pretend(isTerminal bool, vars map[string]string) (*terminal.Terminal, *strings.Builder) {
	var stderr strings.Builder
	return &terminal.Terminal{
		Err: &stderr, Getenv: func(name string) string { return vars[name] },
		IsTerminal: func(any) bool { return isTerminal },
	}, &stderr
}

func TestColorsAreForTerminalsThatWantThem(t *testing.T) {
	tests := map[string]struct {
		terminal bool
		vars     map[string]string
		want     string
	}{
		"terminal":               {true, nil, "\x1b[31mx\x1b[0m"},
		"terminal with NO_COLOR": {true, map[string]string{"NO_COLOR": "1"}, "x"},
		"dumb terminal":          {true, map[string]string{"TERM": "dumb"}, "x"},
		"pipe":                   {false, nil, "x"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			shown, _ := pretend(test.terminal, test.vars)
			assert.Equal(t, test.want, shown.Painter(os.Stdout)(terminal.Red, "x"))
		})
	}
}

func TestColumnsAreTheTerminals(t *testing.T) {
	tests := map[string]struct {
		terminal bool
		columns  string
		want     int
	}{
		"pipe":                    {false, "120", 0},
		"terminal":                {true, "", 80},
		"terminal of known width": {true, "120", 120},
		"nonsense":                {true, "wide", 80},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			shown, _ := pretend(test.terminal, map[string]string{"COLUMNS": test.columns})
			assert.Equal(t, test.want, shown.Columns(io.Discard))
		})
	}
}

func TestProgressIsABarOnATerminalAlone(t *testing.T) {
	work := func(isTerminal bool, vars map[string]string) string {
		shown, stderr := pretend(isTerminal, vars)
		progress := shown.NewProgress("Applying", 3)
		progress.Step()
		progress.Say("halfway")
		progress.Step()
		progress.Step()
		progress.Close()
		return stderr.String()
	}
	assert.Equal(t, "halfway\n", work(false, nil))
	assert.Equal(t, "halfway\n", work(true, map[string]string{"TERM": "dumb"}))
	bar := work(true, nil)
	assert.Contains(t, bar, "Applying")
	assert.Contains(t, bar, "halfway\n")
	for _, line := range strings.FieldsFunc(bar, func(r rune) bool { return r == '\r' || r == '\n' }) {
		assert.Less(t, terminal.Width(line), 81, "a bar that wraps can't be written over")
	}
}
