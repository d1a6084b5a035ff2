package httpapi

import (
	"errors"
	"net/http"
)

// LimitBody bounds request bodies to n bytes. Reading past that gives an error for
// which TooLarge is true, and the connection is closed after the answer; a body whose
// announced length is larger gives it at the first read. The handler answers, in its
// own protocol's form, with 413.
func LimitBody(n int64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Body == nil || r.Body == http.NoBody:
			case r.ContentLength > n:
				w.Header().Set("Connection", "close") // the body stays unread
				r.Body = refused{limit: n}
			default:
				r.Body = http.MaxBytesReader(w, r.Body, n)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// TooLarge reports whether reading a request body ended at the limit of LimitBody.
func TooLarge(err error) bool {
	var e *http.MaxBytesError
	return errors.As(err, &e)
}

// refused is a body that announced itself as too large.
type refused struct{ limit int64 }

// Read implements io.Reader.
func (r refused) Read([]byte) (int, error) { return 0, &http.MaxBytesError{Limit: r.limit} }

// Close implements io.Closer.
func (r refused) Close() error { return nil }
