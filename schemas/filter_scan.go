package schemas

import (
	"strings"
	"unicode"
)

// scanner cuts a filter or a path into words and literals.
type scanner struct {
	src string
	pos int
}

func (s *scanner) space() {
	for s.pos < len(s.src) && (s.src[s.pos] == ' ' || s.src[s.pos] == '\t') {
		s.pos++
	}
}

// next skips white space and returns the next byte; 0 at the end.
func (s *scanner) next() byte {
	s.space()
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

func (s *scanner) accept(c byte) bool {
	if s.next() == c && s.pos < len(s.src) {
		s.pos++
		return true
	}
	return false
}

// word reads an attribute path, an operator or a keyword; empty when there is none.
func (s *scanner) word() string {
	s.space()
	start := s.pos
	for s.pos < len(s.src) && isWordByte(s.src[s.pos]) {
		s.pos++
	}
	return s.src[start:s.pos]
}

// rest is what stands between the word that was read and the next space or bracket.
func (s *scanner) rest() string {
	rest := s.src[s.pos:]
	if end := strings.IndexAny(rest, " \t()[]\""); end >= 0 {
		return rest[:end]
	}
	return rest
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '.' || c == ':' || c == '_' || c == '-' || c == '$'
}

// keyword consumes word when it comes next, in any case.
func (s *scanner) keyword(word string) bool {
	from := s.pos
	if strings.EqualFold(s.word(), word) {
		return true
	}
	s.pos = from
	return false
}

// literal is a comparison value (RFC 7644, section 3.4.2.2, compValue).
type literal struct {
	kind byte   // '"' string, '0' number, 't' true, 'f' false, 'n' null
	text string // decoded
}

// literal reads a comparison value. Without quotes a string is taken when loose.
func (s *scanner) literal(loose bool) (literal, error) {
	c := s.next()
	if c == '"' {
		r := reader{src: s.src, pos: s.pos}
		text, err := r.str()
		s.pos = r.pos
		if err != nil {
			return literal{}, s.errorf("the string is malformed")
		}
		return literal{kind: '"', text: text}, nil
	}
	word := s.rest()
	s.pos += len(word)
	switch {
	case word == "":
		return literal{}, s.errorf("a value is missing")
	case strings.EqualFold(word, "true"), strings.EqualFold(word, "false"), strings.EqualFold(word, "null"):
		return literal{kind: lower(word)[0], text: lower(word)}, nil
	case isNumber(word):
		return literal{kind: '0', text: word}, nil
	case loose && !strings.ContainsFunc(word, unicode.IsControl):
		return literal{kind: '"', text: word}, nil
	default:
		return literal{}, s.errorf("%q is no value; a string stands in quotes", clip(word))
	}
}

func isNumber(s string) bool {
	r := reader{src: s}
	_, err := r.number()
	return err == nil && r.pos == len(s)
}

func (s *scanner) errorf(format string, args ...any) *Error {
	e := errorf(InvalidFilter, "", format, args...)
	e.Reason = "filter at byte " + itoa(s.pos) + ": " + e.Reason
	return e
}
