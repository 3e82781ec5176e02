package document_test

import (
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
		"whole":                  {`{"version": 1, "rules": [{"name": "R"}]}`, ""},
		"with a byte order mark": {"\ufeff" + `{"version": 1}`, ""},
		"YAML":                   {"# rules\nversion: 1\nrules:\n- name: R\n", ""},
		"YAML with a marker":     {"%YAML 1.1\n# rules\n---\nversion: 1\n...\n", ""},
		"empty":                  {" \n", "the document is empty"},
		"cut":                    {`{"version": 1, "rules": [`, "the document is not valid JSON: it ends early"},
		"followed":               {`{"version": 1} {}`, "the document is not valid JSON: something follows its end"},
		"followed by noise":      {`{"version": 1} x`, "the document is not valid JSON: "},
		"misspelt":               {`{"version": 1, "rule": []}`, `the document has an unknown member "rule": it may have version, unknown`},
		"in another case":        {`{"version": 1, "Rules": []}`, `the document has an unknown member "Rules"`},
		"with a member twice":    {`{"version": 1, "rules": [], "rules": []}`, "duplicate object member name"},
		"twice in a rule":        {`{"version": 1, "rules": [{"name": "A", "name": "B"}]}`, "duplicate object member name"},
		"twice in YAML":          {"version: 1\nrules: []\nrules: []\n", `key "rules" already set in map`},
		"two of YAML":            {"version: 1\n---\nversion: 1\n", "the document is followed by another one"},
		"two of YAML, ended":     {"version: 1\n...\nversion: 1\n", "the document is followed by another one"},
		"of another shape":       {`[]`, "the document is no object"},
		"a text":                 {`hello`, "the document is no object"},
		"rules of another shape": {`{"version": 1, "rules": {}}`, "the document can't be read: "},
		"of the future":          {`{"version": 2}`, "the document's version is 2"},
		"of no version":          {`{}`, `the document's version is 0: write "version": 1`},
		"neither":                {"a: b: c", "the document is neither JSON nor YAML"},
		"no UTF-8":               {"{\"version\": 1, \"rules\": [\"\xff\"]}", "invalid UTF-8"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			_, err := document.Read(strings.NewReader(test.text))
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, test.want)
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
