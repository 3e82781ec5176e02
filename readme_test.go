package cfposture_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

// goBlocks returns the README's blocks of Go: whole programs, and snippets.
func goBlocks(t *testing.T) (programs, snippets []string) {
	t.Helper()
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(readme(t), -1) {
		if strings.HasPrefix(block[1], "package ") {
			programs = append(programs, block[1])
		} else {
			snippets = append(snippets, block[1])
		}
	}
	require.NotEmpty(t, programs)
	require.NotEmpty(t, snippets)
	return programs, snippets
}

// examples returns the text of all files with examples.
func examples(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("example*_test.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all.Write(text)
	}
	return all.String()
}

// The snippets are parts of tests and runnable examples, which are compiled and whose output is checked.
func TestREADMESnippetsArePartsOfExamples(t *testing.T) {
	text := strings.ReplaceAll(examples(t), "\t", "")
	// The examples print an error and return where the README's reader would return it.
	text = strings.ReplaceAll(text, "fmt.Println(err)\nreturn\n", "return err\n")
	_, snippets := goBlocks(t)
	for _, snippet := range snippets {
		assert.True(t, strings.Contains(text, strings.ReplaceAll(snippet, "\t", "")), "no example has this:\n%s", snippet) //nolint:testifylint // Contains would print all examples
	}
}

func TestREADMEProgramsCompile(t *testing.T) {
	programs, _ := goBlocks(t)
	for _, program := range programs {
		// A folder of the module, so that the program has what the module requires; ./... does not see it.
		folder, err := os.MkdirTemp(".", "_readme-") //nolint:usetesting // has to be inside of the module
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, os.RemoveAll(folder)) })
		require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(program), 0o600))
		output, err := exec.CommandContext(t.Context(), "go", "vet", "./"+folder).CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
}

// What the package page lists as tasks has an example. Package posturetest has its own test, and pkgsite shows no examples
// of variables.
func TestTasksOfThePackagePageHaveExamples(t *testing.T) {
	page, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(page), "// # Tasks\n")
	require.True(t, found)
	tasks, _, found := strings.Cut(rest, "// # ")
	require.True(t, found)
	links := regexp.MustCompile(`\[([A-Z][A-Za-z.]+)\]`).FindAllStringSubmatch(tasks, -1)
	require.NotEmpty(t, links)
	for _, link := range links {
		if name := strings.ReplaceAll(link[1], ".", "_"); !strings.HasPrefix(name, "Err") || name == "Error" {
			assert.Contains(t, examples(t), "func Example"+name+"()")
		}
	}
}

// Files and headings that pages of the project refer to exist.
func TestDocumentationLinksLeadSomewhere(t *testing.T) {
	for _, page := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, link := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(string(text), -1) {
			file, heading, hasHeading := strings.Cut(link[1], "#")
			if file == "" {
				file = page
			}
			target, err := os.ReadFile(file)
			if !hasHeading {
				assert.FileExistsf(t, file, "%s links to it", page)
				continue
			}
			require.NoError(t, err, page)
			want := strings.ReplaceAll(heading, "-", " ")
			assert.Regexp(t, `(?mi)^#+ `+regexp.QuoteMeta(want)+`$`, string(target), "%s links to %s", page, link[1])
		}
	}
}

// The map names what there is, and nothing else.
func TestContributingNamesEveryFileAndPackage(t *testing.T) {
	page, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	packages, err := filepath.Glob("internal/*")
	require.NoError(t, err)
	require.NotEmpty(t, packages)
	for _, place := range append(files, packages...) {
		if !strings.HasSuffix(place, "_test.go") {
			named := strings.Contains(string(page), "`"+filepath.ToSlash(place)+"`")
			assert.True(t, named, "the map in CONTRIBUTING.md lacks %s", place)
		}
	}
	table, _, _ := strings.Cut(string(page), "## Where a request goes")
	for _, place := range regexp.MustCompile("`((?:internal/)?[a-z_]+(?:\\.go)?)`").FindAllStringSubmatch(table, -1) {
		if strings.HasPrefix(place[1], "internal/") || strings.HasSuffix(place[1], ".go") {
			_, err := os.Stat(place[1])
			assert.NoError(t, err)
		}
	}
}

// A reader is through in three minutes.
func TestREADMEIsShort(t *testing.T) {
	assert.LessOrEqual(t, strings.Count(readme(t), "\n"), 200)
}
