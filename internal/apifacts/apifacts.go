// Package apifacts holds what is known about the device posture API as plain tables: its rule types, integration
// types, their members and limits, and samples of each. It depends on nothing, so that every package's tests can
// compare themselves with it.
//
// The tables follow the API's documents. Where the live API was seen to take what the documents refuse, a member
// says so in LiveOptional or LiveEnum; [Member.Demanded] and [Member.Allowed] give what the live API does.
package apifacts

import "time"

// Limits and defaults of the API.
const (
	MaxIDLength        = 36 // of a rule, an integration, a list or a certificate
	MaxAccountIDLength = 32
	DefaultSchedule    = "5m"
	MinSchedule        = time.Minute
)

// Codes that the API's users report.
const (
	CodeAuthentication        = 10000 // with status 403
	CodeInvalidToken          = 9109  // with status 403
	CodeInvalidHeaders        = 6003  // with status 400 and one or more of the following as its error_chain
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
)

// Operators are the five that every operator member takes.
var Operators = []string{"<", "<=", ">", ">=", "=="}

// Platforms are those that a rule's match takes.
var Platforms = []string{"windows", "mac", "linux", "android", "ios", "chromeos"}

// Kind is the JSON type of a member.
type Kind int

// The kinds of member that occur.
const (
	String Kind = iota + 1
	Bool
	Number
	Strings // an array of strings
	Object
	Objects // an array of objects
)

// Member is one member of a JSON object and what the API asks of its value.
type Member struct {
	Name     string
	Kind     Kind
	Required bool // by the documents
	// LiveOptional marks a member that the documents require and the live API does without.
	LiveOptional bool
	MaxLength    int      // in characters; 0: none known
	Enum         []string // the documented values of a String, or of each element of Strings
	// LiveEnum has the values that the live API takes where they are more than the documented ones.
	LiveEnum []string
	Min, Max *float64 // of a Number
	// Interval marks a String that is written like "5m" or "1h"; MinInterval is its least value, 0 where none is known.
	Interval    bool
	MinInterval time.Duration
	Members     []Member // of an Object, or of each element of Objects
	Secret      bool     // the API takes it and never gives it back
}

// Demanded reports whether the live API refuses an object without the member.
func (m Member) Demanded() bool { return m.Required && !m.LiveOptional }

// Allowed returns the values that the live API takes, nil for any.
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

func onPaper(m Member) Member {
	m.Required, m.LiveOptional = true, true
	return m
}
