package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/provost-id/provost/schemas"
	wire "github.com/provost-id/provost/schemas/scim"
)

// readBody reads a body of at most limit bytes in a media type of SCIM.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if err := checkMediaType(r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	if r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	body, err := readAll(r, http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	if err != nil && !errors.As(err, &tooLarge) {
		return nil, badRequest(schemas.InvalidSyntax, "the request body could not be read")
	}
	if err == nil {
		hearBody(w, r, body)
	}
	return body, err
}

// checkMediaType takes application/scim+json and, from older clients,
// application/json (RFC 7644, section 3.1). Nothing said is taken as SCIM.
func checkMediaType(header string) error {
	if header == "" {
		return nil
	}
	mt, params, err := mime.ParseMediaType(header)
	if err == nil && (mt == wire.MediaType || mt == "application/json") {
		if cs := params["charset"]; cs == "" || strings.EqualFold(cs, "utf-8") {
			return nil
		}
	}
	return &statusError{status: http.StatusUnsupportedMediaType, detail: fmt.Sprintf("Content-Type %q is not supported; send %s", header, wire.MediaType)}
}

// Page sizes: what a client gets that does not say, and at most.
const (
	defaultCount = 100
	maxCount     = 500
)

// query is what a list asks for (RFC 7644, section 3.4.2; RFC 9865, section 2).
type query struct {
	filter                         string
	attributes, excludedAttributes string
	sortBy                         string
	descending                     bool
	startIndex, count              int
	useCursor                      bool
	cursor                         string
}

// queryOf reads the query of a GET.
func queryOf(v url.Values) (q query, err error) {
	q = query{
		filter: v.Get("filter"), attributes: listed(v, "attributes"), excludedAttributes: listed(v, "excludedAttributes"),
		sortBy: v.Get("sortBy"), useCursor: v.Has("cursor"), cursor: v.Get("cursor"),
	}
	if q.descending, err = descending(v.Get("sortOrder")); err != nil {
		return q, err
	}
	if q.startIndex, err = number(v, "startIndex", 1); err != nil {
		return q, err
	}
	if q.count, err = number(v, "count", defaultCount); err != nil && q.useCursor {
		return q, badRequest("invalidCount", err.Error()) // RFC 9865, section 2.1
	} else if err != nil {
		return q, err
	}
	return q.bounded()
}

// listed reads a list of attributes: separated by commas (RFC 7644, section 3.9), or, from
// some clients, as a parameter each.
func listed(v url.Values, name string) string { return strings.Join(v[name], ",") }

// descending reads sortOrder (RFC 7644, section 3.4.2.3).
func descending(order string) (bool, error) {
	switch {
	case order == "" || strings.EqualFold(order, "ascending"):
		return false, nil
	case strings.EqualFold(order, "descending"):
		return true, nil
	}
	return false, badRequest(schemas.InvalidValue, "sortOrder: want ascending or descending, got "+strconv.Quote(order))
}

func number(v url.Values, name string, def int) (int, error) {
	s := v.Get(name)
	if s == "" {
		return def, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, badRequest(schemas.InvalidValue, name+": want an integer, got "+strconv.Quote(s))
	}
	return n, nil
}

// bounded applies RFC 7644, section 3.4.2.4: what is too small is the smallest. A
// cursor says itself where the page begins.
func (q query) bounded() (query, error) {
	q.startIndex = max(q.startIndex, 1)
	q.count = min(max(q.count, 0), maxCount)
	if q.useCursor && q.startIndex > 1 {
		return q, badRequest(schemas.InvalidValue, "startIndex: a query with cursor has none")
	}
	return q, nil
}

// wrongType says in the words of JSON which member of a body has the wrong type.
func wrongType(err error) error {
	typ, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return badRequest(schemas.InvalidSyntax, "the request body is malformed")
	}
	want := "string"
	switch typ.Type.Kind() {
	case reflect.Int:
		want = "integer"
	case reflect.Slice:
		want = "array"
	}
	got, _, _ := strings.Cut(typ.Value, " ") // a number stands behind its name
	return badRequest(schemas.InvalidValue, fmt.Sprintf("%s: want %s, got %s", typ.Field, want, got))
}

// searchOf reads the body of POST /.search (RFC 7644, section 3.4.3).
func searchOf(body []byte, d schemas.Dialect) (q query, err error) {
	if err := schemas.CheckObject(body); err != nil {
		return q, err
	}
	m, err := decodeSearch(body, d)
	if err != nil {
		return q, err
	}
	q = query{
		filter: m.Filter, sortBy: m.SortBy, startIndex: 1, count: defaultCount,
		attributes: strings.Join(m.Attributes, ","), excludedAttributes: strings.Join(m.ExcludedAttributes, ","),
	}
	if q.descending, err = descending(m.SortOrder); err != nil {
		return q, err
	}
	if m.StartIndex != nil {
		q.startIndex = *m.StartIndex
	}
	if m.Count != nil {
		q.count = *m.Count
	}
	if m.Cursor != nil {
		q.useCursor, q.cursor = true, *m.Cursor
	}
	return q.bounded()
}
