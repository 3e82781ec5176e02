package posturetest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryExportedFunctionHasAnExample(t *testing.T) {
	examples := map[string]bool{}
	for _, function := range functionsOf(t, func(name string) bool { return name == "example_test.go" }) {
		examples[function] = true
	}
	exported := functionsOf(t, func(name string) bool { return !strings.HasSuffix(name, "_test.go") })
	require.NotEmpty(t, exported)
	for _, function := range exported {
		receiver, name, isMethod := strings.Cut(function, "_")
		if ast.IsExported(receiver) && (!isMethod || ast.IsExported(name)) {
			assert.True(t, examples["Example"+function], function)
		}
	}
}

// A program that serves the fake must not link package testing, whose flags and size it has no use for.
func TestPackageTestingIsNotImported(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, imported := range file.Imports {
			assert.NotContains(t, imported.Path.Value, `"testing`, name)
		}
	}
}

// functionsOf returns the functions of the package's files, methods as Type_Method.
func functionsOf(t *testing.T, in func(file string) bool) (names []string) {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), ".", func(file fs.FileInfo) bool { return in(file.Name()) }, 0) //nolint:staticcheck // build tags don't matter here
	require.NoError(t, err)
	for _, parsed := range packages {
		for _, file := range parsed.Files {
			for _, declaration := range file.Decls {
				function, ok := declaration.(*ast.FuncDecl)
				if !ok {
					continue
				}
				name := function.Name.Name
				if function.Recv != nil {
					receiver := function.Recv.List[0].Type
					if pointer, ok := receiver.(*ast.StarExpr); ok {
						receiver = pointer.X
					}
					name = receiver.(*ast.Ident).Name + "_" + name
				}
				names = append(names, name)
			}
		}
	}
	return names
}
