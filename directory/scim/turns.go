package scim

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// turns holds one for each request of a kind that stands in memory several times over:
// such requests take turns, so that their number does not decide how much that is.
type turns chan struct{}

// patience is how long a request waits for its turn.
const patience = 20 * time.Second

// await waits until a request may begin; end is to be called when it has been answered.
func (t turns) await(r *http.Request) (end func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(patience):
		return nil, &statusError{status: http.StatusServiceUnavailable, detail: "too many large requests at once"}
	}
}

// A body beyond largeBody is one of many members.
const (
	largeBody = 1 << 20
	maxLarge  = 2
)

// awaitLarge is await for a request with a large body, or one that does not say.
func (s *Server) awaitLarge(r *http.Request) (end func(), err error) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength >= 0 && r.ContentLength <= largeBody {
		return func() {}, nil
	}
	return s.large.await(r)
}

// readAll reads a body into one piece of memory, if it is as long as its header says. A
// small one may say what it likes: no more is taken before it comes.
func readAll(r *http.Request, body io.Reader) ([]byte, error) {
	var b bytes.Buffer
	if r.ContentLength > largeBody {
		b.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := b.ReadFrom(body)
	return b.Bytes(), err
}
