package schemas

import (
	"strings"
	"unicode/utf8"
)

// maxJSONDepth is far more than a resource needs (extension, attribute, element,
// sub-attribute) and far less than what hurts.
const maxJSONDepth = 24

// reader walks JSON once, without building values for it. It is stricter than
// encoding/json: no duplicate names in an object, not even in another case, no NUL,
// no lone surrogates, nothing after the value, and a bounded depth.
type reader struct {
	src   string
	pos   int
	depth int
	keys  []string // of the objects being read, outermost first
	// trusted skips the check for duplicates: the text is our own.
	trusted bool
}

func (r *reader) errorf(format string, args ...any) *Error {
	e := errorf(InvalidSyntax, "", format, args...)
	e.Reason = "malformed JSON at byte " + itoa(r.pos) + ": " + e.Reason
	return e
}

// start checks the encoding of the whole text, once.
func (r *reader) start() error {
	if !utf8.ValidString(r.src) {
		return errorf(InvalidSyntax, "", "the body is not valid UTF-8")
	}
	return nil
}

// end refuses anything but white space after the value.
func (r *reader) end() error {
	if r.peek() != 0 || r.pos < len(r.src) {
		return r.errorf("something after the value")
	}
	return nil
}

// peek skips white space and returns the next byte; 0 at the end.
func (r *reader) peek() byte {
	for r.pos < len(r.src) {
		switch c := r.src[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// CheckObject refuses a body that is not one JSON object by the rules that Parse and
// ParsePatch have for theirs: UTF-8, no name twice, a bounded depth, nothing after it.
func CheckObject(body []byte) error {
	r := reader{src: string(body)}
	if err := r.start(); err != nil {
		return err
	}
	if r.peek() != '{' {
		return errorf(InvalidSyntax, "", "the body is no JSON object but %s", r.found())
	}
	if err := r.skip(); err != nil {
		return err
	}
	return r.end()
}

// Members calls member with the name and the text of each member of a JSON object, read
// by the rules of CheckObject. An error of member ends it.
func Members(object []byte, member func(name string, value []byte) error) error {
	r := reader{src: string(object)}
	if err := r.start(); err != nil {
		return err
	}
	if r.peek() != '{' {
		return errorf(InvalidSyntax, "", "want object, got %s", r.found())
	}
	err := r.object(func(name string) error {
		r.peek()
		from := r.pos
		if err := r.skip(); err != nil {
			return err
		}
		return member(name, object[from:r.pos])
	})
	if err != nil {
		return err
	}
	return r.end()
}

func (r *reader) expect(c byte) error {
	if r.peek() != c || r.pos == len(r.src) {
		return r.errorf("want %q, got %s", string(c), r.found())
	}
	r.pos++
	return nil
}

// found names what stands at the position, for messages.
func (r *reader) found() string {
	switch c := r.peek(); {
	case r.pos == len(r.src):
		return "the end"
	case c == '"':
		return "string"
	case c == '{':
		return "object"
	case c == '[':
		return "array"
	case c == 't' || c == 'f':
		return "boolean"
	case c == 'n':
		return "null"
	case c == '-' || c >= '0' && c <= '9':
		return "number"
	default:
		return "byte " + itoa(int(c))
	}
}

func (r *reader) enter() error {
	if r.depth++; r.depth > maxJSONDepth {
		return r.errorf("nested deeper than %d", maxJSONDepth)
	}
	return nil
}

// object calls member for each name, with the position at its value.
func (r *reader) object(member func(name string) error) error {
	if err := r.expect('{'); err != nil {
		return err
	}
	if err := r.enter(); err != nil {
		return err
	}
	first := len(r.keys)
	var seen map[string]struct{}
	for more := r.peek() != '}'; more; more = r.comma() {
		name, err := r.str()
		if err != nil {
			return err
		}
		if seen, err = r.once(first, name, seen); err != nil {
			return err
		}
		if err := r.expect(':'); err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
	}
	r.keys = r.keys[:first]
	r.depth--
	return r.expect('}')
}

// array calls element for each element, with the position at it.
func (r *reader) array(element func() error) error {
	if err := r.expect('['); err != nil {
		return err
	}
	if err := r.enter(); err != nil {
		return err
	}
	for more := r.peek() != ']'; more; more = r.comma() {
		if err := element(); err != nil {
			return err
		}
	}
	r.depth--
	return r.expect(']')
}

func (r *reader) comma() bool {
	if r.peek() == ',' {
		r.pos++
		return true
	}
	return false
}

const fewKeys = 40

// once refuses a name that the object already has, in any case. Beyond fewKeys names
// it keeps a set, so that the check stays linear.
func (r *reader) once(first int, name string, seen map[string]struct{}) (map[string]struct{}, error) {
	if r.trusted {
		return nil, nil
	}
	keys := r.keys[first:]
	if seen == nil && len(keys) < fewKeys {
		for _, k := range keys {
			if strings.EqualFold(k, name) {
				return nil, r.errorf("the name %q twice in one object", name)
			}
		}
		r.keys = append(r.keys, name)
		return nil, nil
	}
	if seen == nil {
		seen = make(map[string]struct{}, 2*fewKeys)
		for _, k := range keys {
			seen[Fold(k)] = struct{}{}
		}
	}
	folded := Fold(name)
	if _, ok := seen[folded]; ok {
		return nil, r.errorf("the name %q twice in one object", name)
	}
	seen[folded] = struct{}{}
	return seen, nil
}

// skip passes over a value, checking its syntax.
func (r *reader) skip() error {
	switch r.peek() {
	case '{':
		return r.object(func(string) error { return r.skip() })
	case '[':
		return r.array(r.skip)
	case '"':
		_, err := r.str()
		return err
	case 't':
		return r.literal("true")
	case 'f':
		return r.literal("false")
	case 'n':
		return r.literal("null")
	default:
		_, err := r.number()
		return err
	}
}

func (r *reader) literal(word string) error {
	if !strings.HasPrefix(r.src[r.pos:], word) {
		return r.errorf("want %s", word)
	}
	r.pos += len(word)
	return nil
}
