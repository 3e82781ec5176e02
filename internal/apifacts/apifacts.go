// Package apifacts holds what is known about the device posture API as plain tables: its rule types and integration
// types, their members and limits, what responses add and leave out, and samples of each. It depends on nothing but
// the standard library, so that every package's tests can compare themselves with it.
//
// The tables follow the API's documents. Where the live API accepts what the documents refuse, a member says so in
// LiveOptional or LiveEnum; [Member.Demanded] and [Member.Allowed] report what the live API does. What the documents
// advise and the API isn't known to refuse is in [Advice] and [RuleType.Platforms]; [Lint] checks a rule against it.
package apifacts

import (
	"regexp"
	"time"
)

// Limits and defaults of the API.
const (
	MaxIDLength        = 36 // of a rule, an integration, a list or a certificate
	MaxAccountIDLength = 32
	DefaultSchedule    = "5m"
	MinSchedule        = time.Minute
)

// Error codes that users of the API report.
const (
	CodeAuthentication        = 10000 // with status 403
	CodeInvalidToken          = 9109  // with status 403
	CodeInvalidHeaders        = 6003  // with status 400 and at least one of the following in its error_chain
	CodeMissingEmail          = 6100
	CodeMissingKey            = 6101
	CodeMalformedEmail        = 6102
	CodeMalformedKey          = 6103
	CodeMalformedBearer       = 6111
	CodeMalformedActor        = 1039
	CodeRateLimited           = 971  // with status 429
	CodeNoRoute               = 7000 // with status 404
	CodeInvalidObjectInRoute  = 7003 // with status 404
	CodeMethodNotAllowedThere = 7001 // with status 405

	// CodeRuleNotFound is in the response to a GET of a rule that doesn't exist. Its status wasn't recorded.
	CodeRuleNotFound = 6024
	// CodeInvalidCredentials comes with status 400 when a POST or PATCH of an integration holds credentials that the
	// third party's service refuses.
	CodeInvalidCredentials = 2046
)

// Operators are the values of every operator member.
var Operators = []string{"<", "<=", ">", ">=", "=="}

// Platforms are the values of a match's platform.
var Platforms = []string{"windows", "mac", "linux", "android", "ios", "chromeos"}

// Kind is the JSON type of a member.
type Kind int

// The kinds of members.
const (
	String Kind = iota + 1
	Bool
	Number
	Strings // an array of strings
	Object
	Objects // an array of objects
	Any     // any JSON value
)

// Member is one member of a JSON object and what the API asks of its value.
type Member struct {
	Name string
	Kind Kind
	// Required marks a member that the documents require.
	Required bool
	// LiveOptional marks a required member that the live API does without.
	LiveOptional bool
	// MaxLength is in characters; 0 is no known maximum.
	MaxLength int
	// Enum lists the documented values of a String, or of each element of Strings.
	Enum []string
	// LiveEnum lists the values that the live API accepts if they are more than the documented ones.
	LiveEnum []string
	// Min and Max bound a Number.
	Min, Max *float64
	// Distinct marks an array whose elements must not repeat.
	Distinct bool
	// Interval marks a String such as "5m" or "1h"; MinInterval is its least value, 0 if none is known.
	Interval    bool
	MinInterval time.Duration
	// Members are those of an Object, or of each element of Objects.
	Members []Member

	// Secret marks a member that no response holds.
	Secret bool
	// ReadOnly marks a member that only the API sets. Documented request bodies don't have it.
	ReadOnly bool
	// Default is the JSON that responses hold if the request left the member out; empty if they leave it out too.
	Default string
	// MayBeOmitted marks a member that responses were seen without although the request had it.
	MayBeOmitted bool
	// Deprecated says what to use instead.
	Deprecated string
	// Disables marks a member whose presence in the input makes the API report the rule's enabled as false.
	Disables bool
	// Advice is nil if the documents advise nothing beyond the above.
	Advice *Advice
}

// Advice is what the documents ask of a value and the API isn't known to refuse.
type Advice struct {
	// Min and Max bound a number, or the number that a string holds.
	Min, Max *float64
	// Whole asks for an integer.
	Whole bool
	// Pattern is what a string should match, and Form describes it, such as "a version such as 10.0.19045".
	Pattern *regexp.Regexp
	Form    string
}

// Demanded reports whether the live API refuses an object without the member.
func (m Member) Demanded() bool { return m.Required && !m.LiveOptional }

// Allowed returns the values that the live API accepts, nil for any.
func (m Member) Allowed() []string {
	if m.LiveEnum != nil {
		return m.LiveEnum
	}
	return m.Enum
}

// The constructors below keep the tables to a line for each member.

func text(name string, enum ...string) Member {
	return Member{Name: name, Kind: String, Enum: enum}
}

func operator(name string) Member { return text(name, Operators...) }

func boolean(name string) Member { return Member{Name: name, Kind: Bool} }

func number(name string) Member { return Member{Name: name, Kind: Number} }

func texts(name string, enum ...string) Member {
	return Member{Name: name, Kind: Strings, Enum: enum}
}

func id(name string) Member {
	return Member{Name: name, Kind: String, MaxLength: MaxIDLength}
}

func secret(name string) Member { return Member{Name: name, Kind: String, Secret: true} }

func required(m Member) Member {
	m.Required = true
	return m
}

// onPaper marks a member that the documents require and the live API does without.
func onPaper(m Member) Member {
	m.Required, m.LiveOptional = true, true
	return m
}

func readOnly(m Member) Member {
	m.ReadOnly = true
	return m
}

func mayBeOmitted(m Member) Member {
	m.MayBeOmitted = true
	return m
}

func deprecated(m Member, instead string) Member {
	m.Deprecated = instead
	return m
}

// withDefault sets the JSON that responses hold where the request left the member out.
func withDefault(m Member, json string) Member {
	m.Default = json
	return m
}

func advised(m Member, advice Advice) Member {
	m.Advice = &advice
	return m
}

// between is the advice on a number from least to most.
func between(least, most float64) Advice { return Advice{Min: &least, Max: &most} }
