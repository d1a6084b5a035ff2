package schemas

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// MaxIndexed is the longest value in bytes, after folding, that an indexed attribute
// may have. PostgreSQL refuses index rows of more than about 2,700 bytes.
const MaxIndexed = 2000

// indexTime is fixed in width and in UTC, so that text order is time order.
const indexTime = "2006-01-02T15:04:05.000000000Z"

// encode returns the form of a canonical value in the index: folded, and in text
// order where the values have an order.
func (a *attr) encode(text string) string {
	switch a.Type {
	case Integer:
		n, _ := strconv.ParseInt(text, 10, 64) // canonical text always parses
		return orderedHex(uint64(n) ^ 1<<63)
	case Decimal:
		f, _ := strconv.ParseFloat(text, 64)
		return orderedHex(orderedBits(f))
	case DateTime:
		t, _ := parseDateTime(text)
		return t.UTC().Format(indexTime)
	case Boolean:
		return text
	case Binary: // RFC 7643, section 2.3.6: either alphabet of RFC 4648, padded or not
		return strings.TrimRight(standardBase64.Replace(text), "=")
	default:
		return a.fold.apply(text)
	}
}

var standardBase64 = strings.NewReplacer("-", "+", "_", "/")

// orderedBits orders the bits of floats as the floats are ordered.
func orderedBits(f float64) uint64 {
	b := math.Float64bits(f)
	if b>>63 == 1 {
		return ^b
	}
	return b | 1<<63
}

func orderedHex(n uint64) string {
	var b [16]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = "0123456789abcdef"[n&15]
		n >>= 4
	}
	return string(b[:])
}

// parseDateTime reads an xsd:dateTime (RFC 7643, section 2.3.5). One without a zone
// is taken as UTC.
func parseDateTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	return time.Parse("2006-01-02T15:04:05.999999999", s)
}

// CanonicalNumber returns the one spelling of a number of a type, Integer or Decimal.
func CanonicalNumber(typ DataType, s string) (string, bool) {
	if typ == Integer {
		return canonicalInteger(s)
	}
	return canonicalDecimal(s)
}

// canonicalInteger and canonicalDecimal return the one spelling of a JSON number.
// Integers are exact: one with a fraction or beyond 64 bits is none.
func canonicalInteger(s string) (string, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return strconv.FormatInt(n, 10), err == nil
}

func canonicalDecimal(s string) (string, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return "", false
	}
	return formatDecimal(f), true
}

// formatDecimal has no minus zero: it would equal zero and be indexed elsewhere.
func formatDecimal(f float64) string {
	if f == 0 {
		return "0"
	}
	if a := math.Abs(f); a < 1e-6 || a >= 1e21 {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', -1, 64), ".0")
}
