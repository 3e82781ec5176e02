// Command gen writes models_gen.go: the tables from types to structs, and the methods that every input, config and
// object of the API has. It reads the declarations of the package in the current directory, whose names say what belongs
// together:
//
//	RuleTypeX         the constant of a rule type
//	XInput            the struct of its input
//	IntegrationTypeX  the constant of an integration type
//	XConfig           the struct of its config
//
// Every other struct with a field Extra is an object within these. A method that is written by hand is left alone.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

const output = "models_gen.go"

func main() {
	log.SetFlags(0)
	log.SetPrefix("gen: ")
	code, err := generate(".")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(output, code, 0o644); err != nil { //nolint:gosec // source code is for everybody to read
		log.Fatal(err)
	}
}

// generate returns the code for the package in dir.
func generate(dir string) ([]byte, error) {
	d, err := parse(dir)
	if err != nil {
		return nil, err
	}
	m, err := d.models()
	if err != nil {
		return nil, err
	}
	var code bytes.Buffer
	if err := modelsFile.Execute(&code, m); err != nil {
		return nil, err
	}
	return format.Source(code.Bytes())
}

// Declarations are what a package declares, as far as it matters here.
type declarations struct {
	constants  map[string][]string        // of RuleType and IntegrationType, in order
	structs    map[string]*ast.StructType // those with a field Extra
	order      []string                   // the names of structs, in order
	interfaces map[string]string          // doc comments of interfaces
	methods    map[string]bool            // "Type.Method"
}

func parse(dir string) (*declarations, error) {
	d := &declarations{map[string][]string{}, map[string]*ast.StructType{}, nil, map[string]string{}, map[string]bool{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || filepath.Base(name) == output {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, declaration := range file.Decls {
			d.add(declaration)
		}
	}
	return d, nil
}

func (d *declarations) add(declaration ast.Decl) {
	switch declaration := declaration.(type) {
	case *ast.FuncDecl:
		if declaration.Recv != nil {
			receiver := strings.TrimPrefix(text(declaration.Recv.List[0].Type), "*")
			d.methods[receiver+"."+declaration.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, spec := range declaration.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				if declaration.Tok == token.CONST && spec.Type != nil {
					of := text(spec.Type)
					d.constants[of] = append(d.constants[of], spec.Names[0].Name)
				}
			case *ast.TypeSpec:
				d.addType(spec, declaration.Doc.Text())
			}
		}
	}
}

func (d *declarations) addType(spec *ast.TypeSpec, doc string) {
	name := spec.Name.Name
	switch of := spec.Type.(type) {
	case *ast.InterfaceType:
		d.interfaces[name] = doc
	case *ast.StructType:
		for _, field := range of.Fields.List {
			if field.Tag != nil && strings.Contains(field.Tag.Value, `json:",embed"`) {
				d.structs[name] = of
				d.order = append(d.order, name)
			}
		}
	}
}

// A model is a struct to write methods for.
type model struct {
	Name      string
	Receiver  string
	Union     string // the interface it belongs to, or ""
	TypeName  string // the method that returns its type, and that method's type
	Constant  string // what that returns
	Fields    []field
	Members   []member // in the order of the struct
	HasUnion  bool     // it has a field of an interface, so its JSON methods are written by hand
	HasString bool
}

type field struct{ Name, Clone string }

// A member is the name of a JSON member, and the statement that reads its value into its field.
type member struct{ Name, Decode string }

// models joins constants and structs.
func (d *declarations) models() (map[string][]model, error) {
	byKind := map[string][]model{}
	for _, kind := range []model{
		{TypeName: "RuleType", Union: "DeviceInput", Receiver: "in", Name: "Input"},
		{TypeName: "IntegrationType", Union: "IntegrationConfig", Receiver: "c", Name: "Config"},
	} {
		for _, constant := range d.constants[kind.TypeName] {
			m := kind
			m.Constant = constant
			m.Name = strings.TrimPrefix(constant, kind.TypeName) + kind.Name
			switch {
			case d.structs[m.Name] == nil:
				return nil, fmt.Errorf("%s has no struct: declare %s with a field Extra", constant, m.Name)
			case !strings.Contains(d.interfaces[kind.Union], "["+constant+"]: ["+m.Name+"]"):
				return nil, fmt.Errorf("the comment of %s doesn't list [%s]: [%s]", kind.Union, constant, m.Name)
			}
			byKind[kind.TypeName] = append(byKind[kind.TypeName], d.model(m))
		}
	}
	for _, name := range d.order {
		for suffix, typeName := range map[string]string{"Input": "RuleType", "Config": "IntegrationType"} {
			if bare, ok := strings.CutSuffix(name, suffix); ok && !d.has(typeName, typeName+bare) {
				return nil, fmt.Errorf("%s has no type: declare the constant %s%s", name, typeName, bare)
			}
		}
		if !strings.HasSuffix(name, "Input") && !strings.HasSuffix(name, "Config") {
			m := model{Name: name, Receiver: strings.ToLower(name[:1])}
			byKind["Object"] = append(byKind["Object"], d.model(m))
		}
	}
	return byKind, nil
}

func (d *declarations) has(typeName, constant string) bool {
	for _, name := range d.constants[typeName] {
		if name == constant {
			return true
		}
	}
	return false
}

// model fills in what a struct's fields say.
func (d *declarations) model(m model) model {
	m.HasString = d.methods[m.Name+".String"]
	for _, f := range d.structs[m.Name].Fields.List {
		of := text(f.Type)
		for _, name := range f.Names {
			if clone := d.clone(m.Receiver+"."+name.Name, of); clone != "" {
				m.Fields = append(m.Fields, field{name.Name, clone})
			}
			if member := memberName(f); member != "" {
				m.Members = append(m.Members, d.member(member, len(m.Members), m.Receiver+"."+name.Name, of))
			}
		}
		if _, is := d.interfaces[of]; is {
			m.HasUnion = true
		}
	}
	return m
}

// clone is the expression that copies a value of the type, or "" where an assignment does.
func (d *declarations) clone(value, of string) string {
	pointer, isPointer := strings.CutPrefix(of, "*")
	element, isSlice := strings.CutPrefix(of, "[]")
	switch _, isUnion := d.interfaces[of]; {
	case isUnion:
		return "clone" + of + "(" + value + ")"
	case isPointer && d.structs[pointer] != nil:
		return value + ".clone()"
	case isPointer:
		return "clonePointer(" + value + ")"
	case isSlice && d.structs[element] != nil:
		return "cloneEach(" + value + ", (*" + element + ").clone)"
	case isSlice || of == "json.RawMessage":
		return "slices.Clone(" + value + ")"
	case strings.HasPrefix(of, "map["):
		return "cloneExtra(" + value + ")"
	default:
		return ""
	}
}

// memberName returns the name in a field's json tag, "" if it has none.
func memberName(f *ast.Field) string {
	if f.Tag == nil {
		return ""
	}
	_, tag, _ := strings.Cut(f.Tag.Value, `json:"`)
	name, _, _ := strings.Cut(tag, ",")
	return strings.TrimRight(name, "\"`")
}

// member is the member of a field, which has a type and a number among the struct's.
func (d *declarations) member(name string, number int, value, of string) member {
	pointer, isPointer := strings.CutPrefix(of, "*")
	element, isSlice := strings.CutPrefix(of, "[]")
	_, isUnion := d.interfaces[of]
	var decode string
	switch {
	case isUnion:
		decode = "o.Defer(%[1]d)"
	case of == "*bool":
		decode = "o.Bool(%[1]d, &%[2]s)"
	case of == "*float64":
		decode = "o.Number(%[1]d, &%[2]s)"
	case of == "string":
		decode = "o.String(%[1]d, &%[2]s)"
	case of == "json.RawMessage":
		decode = "o.Raw(%[1]d, &%[2]s)"
	case isPointer && d.structs[pointer] != nil:
		decode = "if o.Has(%[1]d) {\n%[2]s = new(%[3]s)\n%[2]s.decode(d)\n}"
		of = pointer
	case isSlice && d.structs[element] != nil:
		decode = "if length, ok := o.Array(%[1]d); ok {\n%[2]s = make(%[3]s, length)\n" +
			"for i := 0; o.NextElement(); i++ {\n%[2]s[i].decode(d)\n}\n}"
	case isSlice:
		decode = "wire.StringArray(&o, %[1]d, &%[2]s)"
	default: // a string of a type of its own
		decode = "o.String(%[1]d, (*string)(&%[2]s))"
	}
	return member{name, fmt.Sprintf(decode, number, value, of, element)}
}

// text returns a type as it is written.
func text(of ast.Expr) string {
	var b bytes.Buffer
	if err := format.Node(&b, token.NewFileSet(), of); err != nil {
		panic(err)
	}
	return b.String()
}

var modelsFile = template.Must(template.New("").Parse(`// Code generated by internal/gen. DO NOT EDIT.

package cfposture

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	"github.com/cfposture/cfposture/internal/wire"
)

// ruleTypes are the rule types that have a struct.
var ruleTypes = []RuleType{
{{range .RuleType}}	{{.Constant}},
{{end}}}

// newInput returns an empty input of the type, or nil if it has no struct.
func newInput(t RuleType) DeviceInput {
	switch t {
{{range .RuleType}}	case {{.Constant}}:
		return new({{.Name}})
{{end}}	default:
		return nil
	}
}

// integrationTypes are the integration types that have a struct.
var integrationTypes = []IntegrationType{
{{range .IntegrationType}}	{{.Constant}},
{{end}}}

// newConfig returns an empty config of the type, or nil if it has no struct.
func newConfig(t IntegrationType) IntegrationConfig {
	switch t {
{{range .IntegrationType}}	case {{.Constant}}:
		return new({{.Name}})
{{end}}	default:
		return nil
	}
}

{{define "json"}}
// MarshalJSON returns the members as a JSON object, those of Extra included.
func ({{.Receiver}} {{.Name}}) MarshalJSON() ([]byte, error) { return wire.Marshal(&{{.Receiver}}) }

// UnmarshalJSON sets the members to those of a JSON object. Members without a field go to Extra.
func ({{.Receiver}} *{{.Name}}) UnmarshalJSON(data []byte) error { return wire.UnmarshalMembers(data, {{.Receiver}}, (*{{.Name}}).decode) }
{{end}}

{{define "string"}}
// String returns the members as JSON.
func ({{.Receiver}} {{.Name}}) String() string { return membersText(&{{.Receiver}}) }
{{end}}

{{define "decode"}}
func ({{.Receiver}} *{{.Name}}) decode(d *wire.Decoder) {
	for o := d.Object(); o.Next(); {
		switch string(o.Name) {
{{range .Members}}		case "{{.Name}}":
			{{.Decode}}
{{end}}		default:
			o.Extra(&{{.Receiver}}.Extra)
		}
	}
}
{{end}}

{{define "clone"}}
func ({{.Receiver}} *{{.Name}}) clone() {{if .Union}}{{.Union}}{{else}}*{{.Name}}{{end}} {
{{if not .Union}}	if {{.Receiver}} == nil {
		return nil
	}
{{end}}	copied := *{{.Receiver}}
{{range .Fields}}	copied.{{.Name}} = {{.Clone}}
{{end}}	return &copied
}
{{end}}

{{range .RuleType}}
// RuleType returns [{{.Constant}}].
func (*{{.Name}}) RuleType() RuleType { return {{.Constant}} }
{{template "string" .}}{{template "json" .}}{{template "decode" .}}{{template "clone" .}}{{end}}

{{range .IntegrationType}}
// IntegrationType returns [{{.Constant}}].
func (*{{.Name}}) IntegrationType() IntegrationType { return {{.Constant}} }

// Format prints the config, whatever the verb. Secrets and the values of Extra are redacted.
func (c {{.Name}}) Format(f fmt.State, _ rune) { formatConfig(f, &c) }

// LogValue returns the config. Secrets and the values of Extra are redacted.
func (c {{.Name}}) LogValue() slog.Value { return logConfig(&c) }
{{template "json" .}}{{template "decode" .}}{{template "clone" .}}{{end}}

{{range .Object}}
{{- if not .HasUnion}}{{if not .HasString}}{{template "string" .}}{{end}}{{template "json" .}}{{end}}
{{- template "decode" .}}{{template "clone" .}}{{end}}

func cloneDeviceInput(input DeviceInput) DeviceInput {
	if isNil(input) {
		return input
	}
	return input.clone()
}

func cloneIntegrationConfig(config IntegrationConfig) IntegrationConfig {
	if isNil(config) {
		return config
	}
	return config.clone()
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

func cloneEach[T any](list []T, clone func(*T) *T) []T {
	copied := slices.Clone(list)
	for i := range copied {
		copied[i] = *clone(&copied[i])
	}
	return copied
}

func cloneExtra(extra map[string]json.RawMessage) map[string]json.RawMessage {
	if extra == nil {
		return nil
	}
	copied := make(map[string]json.RawMessage, len(extra))
	for name, value := range extra {
		copied[name] = slices.Clone(value)
	}
	return copied
}
`))
