// Command gen writes models_gen.go: the tables from types to structs, and the methods that every input, config and
// object of the API has. It reads the declarations of the package in the current directory, whose names say what belongs
// together:
//
//	RuleTypeX         the constant of a rule type
//	XInput            the struct of its input
//	IntegrationTypeX  the constant of an integration type
//	XConfig           the struct of its config
//
// XInput and XConfig are the variants of a union; UnknownInput and UnknownConfig belong to them without a constant.
// Every other struct with a field Extra is an object within these. A method that is written by hand is left alone.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	if err = errors.Join(err, d.problem); err != nil {
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
	problem    error                      // with a struct
}

func parse(dir string) (*declarations, error) {
	d := &declarations{
		constants: map[string][]string{}, structs: map[string]*ast.StructType{},
		interfaces: map[string]string{}, methods: map[string]bool{},
	}
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

// A union is an interface whose implementations are the variants of one member.
type union struct {
	Interface string
	TypeName  string // of the constants that name the variants
	Suffix    string // of the variants' names
	Receiver  string
	Noun      string // what has the member
	Member    string
	// HasSecrets is whether variants print without some of their members.
	HasSecrets bool

	Models []model
}

// Types is the name of the table of types.
func (u union) Types() string { return strings.ToLower(u.TypeName[:1]) + u.TypeName[1:] + "s" }

// Unknown is the name of the variant that has no constant.
func (u union) Unknown() string { return "Unknown" + u.Suffix }

// Article goes before the member's name.
func (u union) Article() string {
	if strings.HasPrefix(u.Member, "i") {
		return "an"
	}
	return "a"
}

// A model is a struct to write methods for.
type model struct {
	Name      string
	Receiver  string
	Clone     string // what clone returns
	Constant  string // what the method that is named for the union's type returns, or ""
	Fields    []field
	Members   []member // in the order of the struct
	Holds     *union   // what a field of it is; its MarshalJSON is then written by hand
	HasString bool
}

type field struct{ Name, Clone string }

// A member is the name of a JSON member, and the statements that read its value into its field and write it.
type member struct{ Name, Decode, Encode string }

// Models is what the generated file is about.
type models struct {
	Unions  []union
	Objects []model
}

// unions returns what unions there are, without their variants.
func unions() []union {
	return []union{
		{Interface: "DeviceInput", TypeName: "RuleType", Suffix: "Input", Receiver: "in", Noun: "rule", Member: "input"},
		{
			Interface: "IntegrationConfig", TypeName: "IntegrationType", Suffix: "Config", Receiver: "c",
			Noun: "integration", Member: "config", HasSecrets: true,
		},
	}
}

// unionOf returns the union that a type is, or nil.
func unionOf(of string) *union {
	for _, u := range unions() {
		if u.Interface == of {
			return &u
		}
	}
	return nil
}

// models joins constants and structs.
func (d *declarations) models() (*models, error) {
	m := &models{Unions: unions()}
	for i := range m.Unions {
		if err := d.addModels(&m.Unions[i]); err != nil {
			return nil, err
		}
	}
	for _, name := range d.order {
		isVariant := func(u union) bool { return strings.HasSuffix(name, u.Suffix) }
		if !slices.ContainsFunc(m.Unions, isVariant) {
			object := d.model(model{Name: name, Receiver: strings.ToLower(name[:1]), Clone: "*" + name})
			object.Holds = d.unionIn(name)
			m.Objects = append(m.Objects, object)
		}
	}
	return m, nil
}

// unionIn returns the union that a struct has a field of, or nil.
func (d *declarations) unionIn(name string) *union {
	for _, f := range d.structs[name].Fields.List {
		if u := unionOf(text(f.Type)); u != nil {
			return u
		}
	}
	return nil
}

// addModels adds a union's variants.
func (d *declarations) addModels(u *union) error {
	for _, constant := range d.constants[u.TypeName] {
		name := strings.TrimPrefix(constant, u.TypeName) + u.Suffix
		switch {
		case d.structs[name] == nil:
			return fmt.Errorf("%s has no struct: declare %s with a field Extra", constant, name)
		case !strings.Contains(d.interfaces[u.Interface], "["+constant+"]: ["+name+"]"):
			return fmt.Errorf("the comment of %s doesn't list [%s]: [%s]", u.Interface, constant, name)
		}
		u.Models = append(u.Models, d.model(model{Name: name, Receiver: u.Receiver, Clone: u.Interface, Constant: constant}))
	}
	for _, name := range d.order {
		bare, ok := strings.CutSuffix(name, u.Suffix)
		if ok && !slices.Contains(d.constants[u.TypeName], u.TypeName+bare) {
			return fmt.Errorf("%s has no type: declare the constant %s%s", name, u.TypeName, bare)
		}
	}
	return nil
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
			if member, omitsZero := memberName(f); member != "" {
				m.Members = append(m.Members, d.member(member, omitsZero, len(m.Members), m.Receiver, name.Name, of))
			}
		}
	}
	return m
}

// clone is the expression that copies a value of the type, or "" where an assignment does.
func (d *declarations) clone(value, of string) string {
	pointer, isPointer := strings.CutPrefix(of, "*")
	element, isSlice := strings.CutPrefix(of, "[]")
	switch {
	case unionOf(of) != nil:
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

// memberName returns the name in a field's json tag, "" if it has none, and whether a zero value is left out.
func memberName(f *ast.Field) (name string, omitsZero bool) {
	if f.Tag == nil {
		return "", false
	}
	_, tag, _ := strings.Cut(strings.Trim(f.Tag.Value, "`"), `json:"`)
	name, option, _ := strings.Cut(strings.TrimSuffix(tag, `"`), ",")
	return name, option == "omitzero"
}

// member is the member of a field, which has a type and a number among the struct's.
func (d *declarations) member(name string, omitsZero bool, number int, receiver, field, of string) member {
	pointer, isPointer := strings.CutPrefix(of, "*")
	element, isSlice := strings.CutPrefix(of, "[]")
	decode, encode := "o.String(NUMBER, (*string)(&FIELD))", "e.String(NAME, string(FIELD))" // a string of a type of its own
	switch u := unionOf(of); {
	case u != nil:
		decode = "if t, ok := o.Variant(NUMBER, string(" + receiver + ".Type)); ok {\n" +
			"FIELD = decode" + u.Suffix + "(d, " + u.TypeName + "(t))\n}"
		encode = "write" + u.Suffix + "(e, FIELD)"
	case of == "*bool":
		decode, encode = "o.Bool(NUMBER, &FIELD)", "e.Bool(NAME, FIELD)"
	case of == "*float64":
		decode, encode = "o.Number(NUMBER, &FIELD)", "e.Number(NAME, FIELD)"
	case of == "string":
		decode, encode = "o.String(NUMBER, &FIELD)", "e.String(NAME, FIELD)"
	case of == "json.RawMessage":
		decode, encode = "o.Raw(NUMBER, &FIELD)", "e.Raw(NAME, FIELD)"
	case isPointer && d.structs[pointer] != nil:
		decode = "if o.Has(NUMBER) {\nFIELD = new(" + pointer + ")\nFIELD.decode(d)\n}"
		encode = "if FIELD != nil {\ne.Object(NAME, FIELD.write)\n}"
	case isSlice && d.structs[element] != nil:
		decode = "if o.Has(NUMBER) {\nvar few [4]ELEMENT\nlist := few[:0]\ne := d.Array()\nfor e.Next() {\n" +
			"list = append(wire.Room(list, &e), ELEMENT{})\nlist[len(list)-1].decode(d)\n}\nFIELD = wire.Exact(list)\n}"
		encode = "if FIELD != nil {\ne.Array(NAME, len(FIELD), func(i int) { FIELD[i].write(e) })\n}"
	case isSlice:
		decode, encode = "wire.StringArray(&o, NUMBER, &FIELD)", "wire.EncodeStrings(e, NAME, FIELD)"
	}
	if !omitsZero {
		var isString bool
		if encode, isString = strings.CutPrefix(encode, "e.String("); !isString {
			d.problem = fmt.Errorf("%s is always written, which only a string can be: add omitzero to its tag", field)
		}
		encode = "e.StringOrEmpty(" + encode
	}
	const most = 64 // Members has a bit for each
	if number >= most {
		d.problem = fmt.Errorf("%s is one of more than %d members", field, most)
	}
	fill := strings.NewReplacer("NUMBER", strconv.Itoa(number), "FIELD", receiver+"."+field, "ELEMENT", element, "NAME", strconv.Quote(name))
	return member{name, fill.Replace(decode), fill.Replace(encode)}
}

// text returns a type as it is written.
func text(of ast.Expr) string {
	var b bytes.Buffer
	if err := format.Node(&b, token.NewFileSet(), of); err != nil {
		panic(err)
	}
	return b.String()
}

// title returns a word as it begins a sentence.
func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

var modelsFile = template.Must(template.New("").Funcs(template.FuncMap{"title": title}).Parse(`// Code generated by internal/gen. DO NOT EDIT.

package cfposture

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/cfposture/cfposture/internal/check"
	"github.com/cfposture/cfposture/internal/variant"
	"github.com/cfposture/cfposture/internal/wire"
)

{{define "json"}}
// MarshalJSON returns the members as a JSON object, those of Extra included.
func ({{.Receiver}} {{.Name}}) MarshalJSON() ([]byte, error) { return marshal(&{{.Receiver}}) }

// UnmarshalJSON sets the members to those of a JSON object. Members without a field go to Extra.
func ({{.Receiver}} *{{.Name}}) UnmarshalJSON(data []byte) error { return unmarshal(data, {{.Receiver}}) }
{{end}}

{{define "string"}}
// String returns the members as JSON.
func ({{.Receiver}} {{.Name}}) String() string { return text(&{{.Receiver}}) }
{{end}}

{{define "decode"}}
func ({{.Receiver}} *{{.Name}}) decode(d *wire.Decoder) {
	o := d.Object()
	for o.Next() {
		switch string(o.Name) {
{{range .Members}}		case "{{.Name}}":
			{{.Decode}}
{{end}}		default:
			o.Extra(&{{.Receiver}}.Extra)
		}
	}
}
{{end}}

{{define "encode"}}
func ({{.Receiver}} *{{.Name}}) write(e *wire.Encoder) {
{{if not .Members}}	if len({{.Receiver}}.Extra) == 0 {
		return
	}
{{end}}	start := e.Begin()
{{range .Members}}	{{.Encode}}
{{end}}	e.End(start, {{.Receiver}}.Extra)
}
{{end}}

{{define "clone"}}
func ({{.Receiver}} *{{.Name}}) clone() {{.Clone}} {
{{if not .Constant}}	if {{.Receiver}} == nil {
		return nil
	}
{{end}}	copied := *{{.Receiver}}
{{range .Fields}}	copied.{{.Name}} = {{.Clone}}
{{end}}	return &copied
}
{{end}}

{{range $u := .Unions}}
// {{.Types}} are the {{.Noun}} types that have a struct.
var {{.Types}} = []{{.TypeName}}{
{{range .Models}}	{{.Constant}},
{{end}}}

// new{{.Suffix}} returns an empty {{.Member}} of the type, or nil if it has no struct.
func new{{.Suffix}}(t {{.TypeName}}) {{.Interface}} {
	switch t {
{{range .Models}}	case {{.Constant}}:
		return new({{.Name}})
{{end}}	default:
		return nil
	}
}

// decode{{.Suffix}} reads {{.Article}} {{.Member}}, of which the type says what it is.
func decode{{.Suffix}}(d *wire.Decoder, t {{.TypeName}}) {{.Interface}} {
	{{.Receiver}} := new{{.Suffix}}(t)
	var decode func(*wire.Decoder)
	if {{.Receiver}} != nil {
		decode = {{.Receiver}}.(members).decode
	}
	if text, reason := variant.Decode(d, "{{.Noun}}", string(t), "{{.Member}}", decode); reason != "" {
		return &{{.Unknown}}{t, text, reason}
	}
	return {{.Receiver}}
}

// parse{{.Suffix}} reads {{.Article}} {{.Member}} strictly, from the text at a path of a document.
func parse{{.Suffix}}(d *wire.Document, path string, t {{.TypeName}}, text string) {{.Interface}} {
	{{.Receiver}} := new{{.Suffix}}(t)
	if {{.Receiver}} == nil {
		return &{{.Unknown}}{t, json.RawMessage(text), variant.NoType("{{.Noun}}", string(t))}
	}
	d.Decode(path, text, {{.Receiver}}.(members).decode)
	return {{.Receiver}}
}

// write{{.Suffix}} writes {{.Article}} {{.Member}}, unless that is nil or has no members.
func write{{.Suffix}}(e *wire.Encoder, {{.Receiver}} {{.Interface}}) {
	if variant.IsNil({{.Receiver}}) {
		return
	}
	if unknown, ok := {{.Receiver}}.(*{{.Unknown}}); ok {
		variant.EncodeRaw(e, "{{.Member}}", unknown.Raw)
		return
	}
	e.Object("{{.Member}}", {{.Receiver}}.(members).write)
}

func clone{{.Interface}}({{.Receiver}} {{.Interface}}) {{.Interface}} {
	if variant.IsNil({{.Receiver}}) {
		return {{.Receiver}}
	}
	return {{.Receiver}}.clone()
}

// {{.TypeName}} returns the type of the {{.Noun}} that the {{.Member}} was read from, or was made for.
func ({{.Receiver}} *{{.Unknown}}) {{.TypeName}}() {{.TypeName}} {
	if {{.Receiver}} == nil {
		return ""
	}
	return {{.Receiver}}.Type
}

// MarshalJSON returns Raw{{if .HasSecrets}}, secrets included{{end}}.
func ({{.Receiver}} {{.Unknown}}) MarshalJSON() ([]byte, error) { return {{.Receiver}}.Raw.MarshalJSON() }

// UnmarshalJSON sets Raw to a copy of data.
func ({{.Receiver}} *{{.Unknown}}) UnmarshalJSON(data []byte) error {
	{{.Receiver}}.Raw = slices.Clone(data)
	return nil
}

func ({{.Receiver}} *{{.Unknown}}) validate(p *check.Problems) { p.Raw({{.Receiver}}.Raw) }

func ({{.Receiver}} *{{.Unknown}}) clone() {{.Interface}} {
	copied := *{{.Receiver}}
	copied.Raw = slices.Clone({{.Receiver}}.Raw)
	return &copied
}

{{range .Models}}
// {{$u.TypeName}} returns [{{.Constant}}].
func (*{{.Name}}) {{$u.TypeName}}() {{$u.TypeName}} { return {{.Constant}} }
{{if $u.HasSecrets}}
// Format prints the {{$u.Member}}, whatever the verb. Secrets and the values of Extra are redacted.
func ({{.Receiver}} {{.Name}}) Format(f fmt.State, _ rune) { variant.Format(f, &{{.Receiver}}) }

// LogValue returns the {{$u.Member}}. Secrets and the values of Extra are redacted.
func ({{.Receiver}} {{.Name}}) LogValue() slog.Value { return variant.LogValue(&{{.Receiver}}) }
{{else}}{{template "string" .}}{{end}}{{template "json" .}}{{template "decode" .}}{{template "encode" .}}{{template "clone" .}}{{end}}
{{end}}

{{range .Objects}}{{$o := .}}
{{- with .Holds}}
// UnmarshalJSON sets the {{.Noun}} to one as the API sends it. {{.Article | title}} {{.Member}} that doesn't fit the type becomes an [{{.Unknown}}].
func ({{$o.Receiver}} *{{$o.Name}}) UnmarshalJSON(data []byte) error {
	return wire.Unmarshal(data, {{$o.Receiver}}, decode{{$o.Name}})
}

// Clone returns a copy of the {{.Noun}} that shares nothing with it.
func ({{$o.Receiver}} *{{$o.Name}}) Clone() *{{$o.Name}} { return {{$o.Receiver}}.clone() }

// wireType returns the type that is sent.
func ({{$o.Receiver}} *{{$o.Name}}) wireType() {{.TypeName}} {
	if {{$o.Receiver}}.Type == "" && !variant.IsNil({{$o.Receiver}}.{{.Suffix}}) {
		return {{$o.Receiver}}.{{.Suffix}}.{{.TypeName}}()
	}
	return {{$o.Receiver}}.Type
}

// unknowns returns the members that have no field.
func ({{$o.Receiver}} *{{$o.Name}}) unknowns() []wire.Unknown {
	if {{$o.Receiver}} == nil {
		return nil
	}
	{{.Receiver}} := {{$o.Receiver}}.{{.Suffix}}
	if variant.IsNil({{.Receiver}}) { // a member of the {{.Noun}} may have been meant for one
		{{.Receiver}} = new{{.Suffix}}({{$o.Receiver}}.Type)
	}
	return wire.Unknowns({{$o.Receiver}}, "{{.Member}}", {{.Receiver}})
}
{{else}}{{if not .HasString}}{{template "string" .}}{{end}}{{template "json" .}}{{end}}
{{- template "decode" .}}{{template "encode" .}}{{template "clone" .}}{{end}}

// A members is a pointer to a struct that has members.
type members interface {
	// decode sets the fields to the members of the object that comes next.
	decode(d *wire.Decoder)
	// write writes the fields as an object, or nothing if the struct has no field but Extra and that is empty.
	write(e *wire.Encoder)
}

func marshal(m members) ([]byte, error) {
	return variant.Marshal(func() string { return strings.TrimPrefix(fmt.Sprintf("%T", m), "*") }, m.write)
}

func unmarshal(data []byte, m members) error { return wire.UnmarshalMembers(data, m, m.decode) }

func text(m members) string { return variant.Text(m.write) }

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
