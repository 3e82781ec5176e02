package document_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
)

func TestDocumentIsReadWholeOrNotAtAll(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"whole":                   {`{"version": 1, "rules": [{"name": "R"}]}`, ""},
		"with a byte order mark":  {"\ufeff" + `{"version": 1}`, ""},
		"YAML":                    {"# rules\nversion: 1\nrules:\n- name: R\n", ""},
		"YAML with a marker":      {"%YAML 1.1\n# rules\n---\nversion: 1\n...\n", ""},
		"empty":                   {" \n", "the document is empty"},
		"cut":                     {`{"version": 1, "rules": [`, "the document is not valid JSON: it ends early"},
		"followed":                {`{"version": 1} {}`, "the document is not valid JSON: something follows its end"},
		"followed by noise":       {`{"version": 1} x`, "the document is not valid JSON: "},
		"misspelt":                {`{"version": 1, "rule": []}`, `the document has an unknown member "rule": it may have version, unknown`},
		"in another case":         {`{"version": 1, "Rules": []}`, `the document has an unknown member "Rules"`},
		"with a member twice":     {`{"version": 1, "rules": [], "rules": []}`, "duplicate object member name"},
		"twice in a rule":         {`{"version": 1, "rules": [{"name": "A", "name": "B"}]}`, "duplicate object member name"},
		"twice in YAML":           {"version: 1\nrules: []\nrules: []\n", `key "rules" already set in map`},
		"two of YAML":             {"version: 1\n---\nversion: 1\n", "the document is followed by another one"},
		"two of YAML, ended":      {"version: 1\n...\nversion: 1\n", "the document is followed by another one"},
		"with much amiss in YAML": {"version: 1\n" + strings.Repeat("rules: []\n", 50_000), "; and 49979 more"},
		"of another shape":        {`[]`, "the document is no object"},
		"a text":                  {`hello`, "the document is no object"},
		"rules of another shape":  {`{"version": 1, "rules": {}}`, "the document can't be read: "},
		"of the future":           {`{"version": 2}`, "the document's version is 2"},
		"of no version":           {`{}`, `the document's version is 0: write "version": 1`},
		"neither":                 {"a: b: c", "the document can't be read as YAML: mapping values are not allowed"},
		"two members twice in YAML": {
			"version: 1\nversion: 1\nrules: []\nrules: []\n",
			`the document can't be read as YAML: line 2: key "version" already set in map; line 4: key "rules" already set in map`,
		},
		"YAML with a merge": {"version: 1\nrules:\n- &a {name: A, type: warp}\n- {<<: *a, schedule: 5m}\n", ""},
		"YAML with a merge that overrides": {
			"version: 1\nrules:\n- &a {name: A}\n- {<<: *a, name: B}\n", `key "name" already set in map`,
		},
		"no UTF-8": {"{\"version\": 1, \"rules\": [\"\xff\"]}", "invalid UTF-8"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			_, err := document.Read(strings.NewReader(test.text))
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, len(err.Error()), 4000)
		})
	}
}

func TestDocumentInYAMLIsTheSame(t *testing.T) {
	fromYAML, err := document.Parse([]byte("version: 1\nrules:\n- name: R\n  count: 12345678901234567890\n  input: {path: /a}\n"))
	require.NoError(t, err)
	assert.Nil(t, fromYAML.Integrations, "a list that isn't there is not an empty one")
	require.Len(t, fromYAML.Rules, 1)
	assert.Contains(t, string(fromYAML.Rules[0]), `"count":12345678901234567890`)
}

func TestDocumentIsWrittenReadably(t *testing.T) {
	d := &document.Document{Version: 1, Rules: document.Sample().Rules[3:4]}
	text, err := d.Marshal()
	require.NoError(t, err)
	assert.Contains(t, string(text), `"operator": ">="`)
	again, err := document.Parse(text)
	require.NoError(t, err)
	assert.JSONEq(t, string(d.Rules[0]), string(again.Rules[0]))
}

func TestWriteFileReplacesTheWholeFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	require.NoError(t, document.WriteFile(path, []byte("one")))
	require.NoError(t, document.WriteFile(path, []byte("two")))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "two", string(text))
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left behind")
}

func TestWriteFileKeepsModeAndLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes and links are another matter there")
	}
	folder := t.TempDir()
	path, link := filepath.Join(folder, "file"), filepath.Join(folder, "link")
	require.NoError(t, os.WriteFile(path, []byte("one"), 0o600))
	require.NoError(t, os.Chmod(path, 0o664))
	require.NoError(t, os.Symlink("file", link))
	require.NoError(t, document.WriteFile(link, []byte("two")))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeSymlink)
	info, err = os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o664), info.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "two", string(text))
}

func TestWriteFileLeavesTheOldFileWhereItFails(t *testing.T) {
	folder := t.TempDir()
	require.Error(t, document.WriteFile(filepath.Join(folder, "none", "file"), []byte("x")))
	require.Error(t, document.WriteFile(folder, []byte("x")), "a folder is no file")
	if runtime.GOOS != "windows" {
		require.NoError(t, document.WriteFile(os.DevNull, []byte("x")), "a device is written to")
	}
}

// endless is a document without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestDocumentIsLimited(t *testing.T) {
	_, err := document.Read(endless{})
	require.EqualError(t, err, "the document is larger than 64 MiB")
	_, err = document.Read(strings.NewReader(`{"version": 1}` + strings.Repeat(" ", document.MaxSize-14)))
	require.NoError(t, err)
}

func TestWriteFileFollowsALinkToAFileThatIsNotThere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links are another matter there")
	}
	folder := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "far", "away"), 0o750))
	require.NoError(t, os.Symlink(filepath.Join("far", "away"), filepath.Join(folder, "near")))
	require.NoError(t, os.Symlink("second", filepath.Join(folder, "first")))
	// Its target is relative to far, not to the folder that near is in.
	require.NoError(t, os.Symlink(filepath.Join("near", "third"), filepath.Join(folder, "second")))
	require.NoError(t, os.Symlink(filepath.Join("..", "target"), filepath.Join(folder, "far", "away", "third")))
	require.NoError(t, document.WriteFile(filepath.Join(folder, "first"), []byte("one")))
	text, err := os.ReadFile(filepath.Join(folder, "far", "target"))
	require.NoError(t, err)
	assert.Equal(t, "one", string(text))
	info, err := os.Lstat(filepath.Join(folder, "first"))
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeSymlink)

	require.NoError(t, os.Symlink("loop", filepath.Join(folder, "loop")))
	require.ErrorContains(t, document.WriteFile(filepath.Join(folder, "loop"), nil), "loop")
}

func TestWriteFileNamesTheGivenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "file")
	err := document.WriteFile(path, []byte("x"))
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.Equal(t, "write "+path+": "+errors.Unwrap(err).Error(), err.Error())
}

func TestDocumentHasNothingThatATerminalObeys(t *testing.T) {
	const name = "a\u009b2Jb\u0085c\u202ed\u2066e\u2028f\u2029g\u007fh規則"
	rule := []byte(`{"name":"` + name + `"}`)
	d := &document.Document{Version: 1, Rules: []json.RawMessage{rule}}
	text, err := d.Marshal()
	require.NoError(t, err)
	assert.Contains(t, string(text), `"a\u009b2Jb\u0085c\u202ed\u2066e\u2028f\u2029g\u007fh規則"`)
	again, err := document.Parse(text)
	require.NoError(t, err)
	assert.JSONEq(t, string(rule), string(again.Rules[0]))
}
