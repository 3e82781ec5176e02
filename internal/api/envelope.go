package api

import (
	"errors"
	"fmt"

	"github.com/cfposture/cfposture/internal/wire"
)

// An envelope is read in one pass, which hands the scanner to the request's Decode where the result begins. Nothing in an
// envelope is taken on trust: members may be missing, come twice, or be of any kind, and an error chain may be as deep and
// as long as it likes. What contradicts itself is unreadable, because a POST's outcome is ambiguous then.

// An envelope is the object around every result of the API:
//
//	{"success": true, "errors": [], "messages": [], "result": …, "result_info": {…}}
type envelope struct {
	isOne   bool // the body is an envelope, and not other JSON or an error page
	success bool
	// failure is set by success: false alone. It is not the opposite of success: an envelope without the member, or with
	// two, is neither, and then nobody knows whether a POST was carried out.
	failure    bool
	errors     []Message
	messages   []Message
	resultInfo []byte
}

// readEnvelope reads the envelope that a body is, whose members may come in any order. Before the result's value it calls
// decode, unless that is nil. With an error about what the envelope says, it is filled all the same.
func (o *operation) readEnvelope(env *envelope, body []byte, decode func(*wire.Decoder) error) error {
	d := wire.NewDecoder(body)
	s := &d.Scanner
	if s.Kind() != '{' {
		s.Skip()
		if err := s.End(); err != nil {
			return fmt.Errorf("unreadable response: %w", err)
		}
		return errors.New("response is not a JSON object")
	}
	var seen struct{ success, result, errors, messages, resultInfo bool }
	var problem error // the first one that is not about the syntax
	note := func(err error) {
		if problem == nil {
			problem = err
		}
	}
	once := func(name string, seen *bool) {
		if *seen {
			note(fmt.Errorf("response has two members %q", name))
		}
		*seen = true
	}
	// A problem with one member does not end the reading. Members are in no particular order, and success may come after
	// result: if it says that the request failed, that counts for more than an unreadable result.
	for s.Open('{'); s.Next('}'); {
		switch string(s.Name()) {
		case "success":
			isFirst := !seen.success
			once("success", &seen.success)
			value := string(s.Value())
			env.success, env.failure = isFirst && value == "true", isFirst && value == "false"
			if value != "true" && value != "false" {
				note(errors.New(`response's member "success" is neither true nor false`))
			}
		case "errors":
			once("errors", &seen.errors)
			if kind := s.Kind(); kind != '[' && kind != 'n' {
				note(fmt.Errorf(`response's member "errors" is %s where an array is expected`, wire.Describe(kind)))
			}
			env.errors = o.readMessages(s)
		case "messages":
			once("messages", &seen.messages)
			env.messages = o.readMessages(s)
		case "result_info":
			once("result_info", &seen.resultInfo)
			env.resultInfo = s.Value()
		case "result":
			once("result", &seen.result)
			if decode == nil {
				s.Skip()
				continue
			}
			// Decode may stop anywhere in the result, so the scanner returns to where it began and skips the whole.
			start := s.Offset()
			if err := decode(d); err != nil {
				note(err)
				s.Return(start)
				s.Skip()
			}
		default:
			s.Skip()
		}
	}
	// What was read before a syntax error is worth nothing: the rest could have said the opposite.
	if err := s.End(); err != nil {
		*env = envelope{}
		return fmt.Errorf("unreadable response: %w", err)
	}
	env.isOne = seen.success || len(env.errors) > 0
	switch {
	case !seen.success:
		return errors.New(`response has no member "success"`)
	case env.failure:
		return nil // whatever else is wrong, it says that it failed
	case len(env.errors) > 0:
		return errors.New("response says success: true and lists errors")
	case problem == nil && decode != nil && !seen.result:
		return errors.New(`response has no member "result"`)
	default:
		return problem
	}
}

// Bounds of what is kept of an envelope's messages, so that a failure can be told in a moment, whatever a server
// sends. The API itself sends one or two, with a chain of one or two.
const (
	maxMessages     = 100
	maxMessageDepth = 10
	maxMessageText  = 4 << 10
)

// readMessages reads errors or messages. It keeps an element of another shape as its text, so that nothing that the server
// says about a failure is lost, and leaves out nulls. A value that is not an array has no messages.
func (o *operation) readMessages(s *wire.Scanner) []Message {
	left := maxMessages
	return o.appendMessages(nil, s, &left, maxMessageDepth)
}

func (o *operation) appendMessages(messages []Message, s *wire.Scanner, left *int, depth int) []Message {
	if s.Kind() != '[' || depth == 0 {
		s.Skip()
		return messages
	}
	for s.Open('['); s.Next(']'); {
		if *left == 0 || s.Kind() == 'n' {
			s.Skip()
			continue
		}
		*left--
		messages = append(messages, o.readMessage(s, left, depth))
	}
	return messages
}

func (o *operation) readMessage(s *wire.Scanner, left *int, depth int) Message {
	var m Message
	if s.Kind() != '{' {
		m.Message = o.messageText(s)
		return m
	}
	for s.Open('{'); s.Next('}'); {
		switch string(s.Name()) {
		case "code":
			m.Code = wire.Int(s.Value())
		case "message":
			m.Message = o.messageText(s)
		case "documentation_url":
			m.DocumentationURL = o.messageText(s)
		case "source":
			m.Pointer = o.readPointer(s)
		case "error_chain":
			m.ErrorChain = o.appendMessages(nil, s, left, depth-1)
		default:
			s.Skip()
		}
	}
	return m
}

func (o *operation) readPointer(s *wire.Scanner) (pointer string) {
	if s.Kind() != '{' {
		s.Skip()
		return ""
	}
	for s.Open('{'); s.Next('}'); {
		if string(s.Name()) == "pointer" {
			pointer = o.messageText(s)
		} else {
			s.Skip()
		}
	}
	return pointer
}

// messageText reads a string, or any other value as its JSON text. It is redacted, because servers quote requests in their
// messages, and cut to a length that a person can read.
func (o *operation) messageText(s *wire.Scanner) string {
	if s.Kind() == 'n' {
		s.Skip()
		return ""
	}
	text := s.Value()
	if len(text) > 0 && text[0] == '"' {
		text = wire.NewScanner(text).String()
	}
	if len(text) > maxMessageText {
		return o.redact().excerpt(text, maxMessageText)
	}
	return o.redact().text(string(text))
}
