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

	"github.com/cfposture/cfposture"
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

// The snippets are parts of the runnable examples, which are compiled and whose output is checked.
func TestREADMESnippetsArePartsOfExamples(t *testing.T) {
	text, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	examples := strings.ReplaceAll(string(text), "\t", "")
	// The examples print an error and return where the README's reader would return it.
	examples = strings.ReplaceAll(examples, "fmt.Println(err)\nreturn\n", "return err\n")
	_, snippets := goBlocks(t)
	for _, snippet := range snippets {
		assert.True(t, strings.Contains(examples, strings.ReplaceAll(snippet, "\t", "")), "no example has this:\n%s", snippet) //nolint:testifylint // Contains would print all examples
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

func TestREADMEHasEveryTypeWithItsGoType(t *testing.T) {
	text := readme(t)
	for _, ruleType := range cfposture.RuleTypes() {
		assert.Contains(t, text, "| `"+string(ruleType)+"` | `"+typeName(cfposture.NewInput(ruleType))+"` |")
	}
	for _, integrationType := range cfposture.IntegrationTypes() {
		assert.Contains(t, text, "| `"+string(integrationType)+"` | `"+typeName(cfposture.NewConfig(integrationType))+"` |")
	}
}
