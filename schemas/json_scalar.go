package schemas

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

func itoa(n int) string { return strconv.Itoa(n) }

// number reads a number and returns its text (RFC 8259, section 6).
func (r *reader) number() (string, error) {
	start := r.pos
	if r.at() == '-' {
		r.pos++
	}
	whole := r.digits()
	if whole == 0 || whole > 1 && r.src[r.pos-whole] == '0' {
		r.pos = start
		return "", r.errorf("want a value, got %s", r.found())
	}
	if r.at() == '.' {
		r.pos++
		if r.digits() == 0 {
			return "", r.errorf("a number ends in a point")
		}
	}
	if c := r.at(); c == 'e' || c == 'E' {
		r.pos++
		if c := r.at(); c == '+' || c == '-' {
			r.pos++
		}
		if r.digits() == 0 {
			return "", r.errorf("a number without an exponent")
		}
	}
	return r.src[start:r.pos], nil
}

// at returns the byte at the position, 0 at the end.
func (r *reader) at() byte {
	if r.pos < len(r.src) {
		return r.src[r.pos]
	}
	return 0
}

func (r *reader) digits() int {
	start := r.pos
	for c := r.at(); c >= '0' && c <= '9'; c = r.at() {
		r.pos++
	}
	return r.pos - start
}

// str reads a string. One without escapes is a part of the source and costs nothing.
func (r *reader) str() (string, error) {
	if err := r.expect('"'); err != nil {
		return "", err
	}
	start := r.pos
	for ; r.pos < len(r.src); r.pos++ {
		switch c := r.src[r.pos]; {
		case c == '"':
			r.pos++
			return r.src[start : r.pos-1], nil
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			return "", r.errorf("a control character in a string")
		}
	}
	return "", r.errorf("a string without an end")
}

// escaped reads on from the first escape of a string that began at start.
func (r *reader) escaped(start int) (string, error) {
	var b strings.Builder
	b.WriteString(r.src[start:r.pos])
	for r.pos < len(r.src) {
		switch c := r.src[r.pos]; {
		case c == '"':
			r.pos++
			return b.String(), nil
		case c == '\\':
			u, err := r.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(u)
		case c < ' ':
			return "", r.errorf("a control character in a string")
		default:
			b.WriteByte(c)
			r.pos++
		}
	}
	return "", r.errorf("a string without an end")
}

// escape reads one escape sequence, both halves of a surrogate pair included.
func (r *reader) escape() (rune, error) {
	r.pos++
	c := r.at()
	if c != 'u' {
		if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 && c != 0 {
			r.pos++
			return rune("\"\\/\b\f\n\r\t"[i]), nil
		}
		return 0, r.errorf("an unknown escape in a string")
	}
	u, err := r.hex4()
	if err != nil {
		return 0, err
	}
	if utf16.IsSurrogate(u) {
		low := rune(utf8.RuneError)
		if strings.HasPrefix(r.src[r.pos:], `\u`) {
			r.pos++
			if low, err = r.hex4(); err != nil {
				return 0, err
			}
		}
		u = utf16.DecodeRune(u, low)
		if u == utf8.RuneError {
			return 0, r.errorf("half a surrogate pair in a string")
		}
	}
	if u == 0 {
		return 0, r.errorf("NUL in a string")
	}
	return u, nil
}

// hex4 reads uXXXX.
func (r *reader) hex4() (rune, error) {
	if len(r.src) < r.pos+5 {
		return 0, r.errorf("a short escape in a string")
	}
	n, err := strconv.ParseUint(r.src[r.pos+1:r.pos+5], 16, 16)
	if err != nil {
		return 0, r.errorf("an escape that is not hexadecimal")
	}
	r.pos += 5
	return rune(n), nil
}

// AppendString appends s, which is valid UTF-8, as a JSON string.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}
