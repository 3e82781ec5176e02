package wire

import "strings"

// A Document is JSON that a person wrote, and what is wrong with it. It is read strictly: every member must have a field,
// but for those that are allowed to have none.
type Document struct {
	Text  string // "" if it isn't JSON
	Wrong []*MemberError
	allow []string
	outer string // what the paths in allow may begin with
}

// NewDocument reads data. Paths in allow have no indices and may begin with outer although the document is what stands
// there.
func NewDocument(data []byte, allow []string, outer string) *Document {
	d := &Document{allow: allow, outer: outer}
	if err := CheckSyntax(data); err != nil {
		d.Add("", "the document is not valid JSON: "+err.Error())
	} else {
		d.Text = Trim(string(data))
	}
	return d
}

// Add adds an error.
func (d *Document) Add(path, reason string) { d.Wrong = append(d.Wrong, &MemberError{path, reason}) }

// Decode calls decode to read the text at a path, and returns the text of the variant. It goes on after a value that
// doesn't fit.
func (d *Document) Decode(path, text string, decode func(*Decoder)) (variant string) {
	if text == "" {
		return ""
	}
	dec := NewDecoder([]byte(text))
	dec.isStrict = true
	dec.BeginObject()
	decode(dec)
	_ = dec.EndObject() // what is wrong is in dec.wrong, for the syntax was checked
	for _, err := range dec.wrong {
		if err.Member = join(path, err.Member); err.Member == "" {
			err.Reason = "the document " + err.Reason
		}
	}
	d.Wrong = append(d.Wrong, dec.wrong...)
	dec.Revisit(func() { variant = string(dec.Value()) })
	return variant
}

// CheckUnknowns adds an error for each member that has no field and isn't allowed. The names of objects are those given
// for their paths, or else the last name of the path.
func (d *Document) CheckUnknowns(unknowns []Unknown, names map[string]string) {
	for _, unknown := range unknowns {
		if d.Allows(unknown.Path()) {
			continue
		}
		in, named := names[unknown.In]
		if !named {
			in = withoutIndices(unknown.In[strings.LastIndex(unknown.In, ".")+1:])
		}
		d.Add(unknown.Path(), "is no member of "+in+DidYouMean(unknown.Name, unknown.Known))
	}
}

// Allows reports whether the member at a path may be there without a field.
func (d *Document) Allows(path string) bool {
	plain := withoutIndices(path)
	for _, allowed := range d.allow {
		if allowed == "*" || allowed == path || withoutIndices(strings.TrimPrefix(allowed, d.outer)) == plain {
			return true
		}
	}
	return false
}

// IsWrong reports whether there is an error about the member at a path, or about an object around it.
func (d *Document) IsWrong(path string) bool {
	for _, err := range d.Wrong {
		if err.Member == "" || err.Member == path || strings.HasPrefix(path, err.Member+".") {
			return true
		}
	}
	return false
}

// withoutIndices returns match.later for match[0].later.
func withoutIndices(path string) string {
	for {
		before, rest, _ := strings.Cut(path, "[")
		_, after, isIndex := strings.Cut(rest, "]")
		if !isIndex {
			return path
		}
		path = before + after
	}
}
