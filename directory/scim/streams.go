package scim

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/schemas"
)

// maxPollBody bounds the body of a poll: a thousand acknowledgements.
const maxPollBody = 256 << 10

// pollStream serves POST of the poll endpoint of an event stream (RFC 8936, section 2).
// Only the client that the stream belongs to knows that it exists.
func (s *Server) pollStream(w http.ResponseWriter, r *http.Request) {
	if err := checkEventsFor(r.Context()); err != nil {
		s.writeError(w, r, err)
		return
	}
	q, err := readPoll(w, r)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	found, err := s.Feed.Poll(r.Context(), r.PathValue("id"), caller(r), q)
	if err != nil {
		s.writeError(w, r, pollError(err))
		return
	}
	body, err := json.Marshal(found)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json") // RFC 8936, section 2.3
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // the client has gone; it will get the same again
}

func readPoll(w http.ResponseWriter, r *http.Request) (q feed.PollRequest, err error) {
	body, err := readBody(w, r, maxPollBody)
	if err != nil {
		return q, err
	}
	if err := schemas.CheckObject(body); err != nil {
		return q, err
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return q, wrongType(err)
	}
	if q.MaxEvents != nil && *q.MaxEvents < 0 {
		return q, badRequest(schemas.InvalidValue, "maxEvents: want 0 or more")
	}
	return q, nil
}

func pollError(err error) error {
	var invalid *feed.InputError
	switch {
	case errors.As(err, &invalid):
		return badRequest(schemas.InvalidValue, invalid.Error())
	case errors.Is(err, feed.ErrNotFound):
		return &statusError{status: http.StatusNotFound, detail: "there is no such stream for this client"}
	case errors.Is(err, feed.ErrStopped):
		return &statusError{status: http.StatusConflict, detail: err.Error()}
	}
	return err
}

// isPoll says that a request acknowledges and reads events: it changes nothing of the
// directory.
func isPoll(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, Base+feed.StreamsPath) && strings.HasSuffix(r.URL.Path, "/poll")
}

// eventKeys serves the public keys that SETs are signed with (RFC 7517), to everybody:
// a receiver of pushes may have no credential here.
func (s *Server) eventKeys(w http.ResponseWriter, r *http.Request) {
	body, err := s.Feed.JWKS(r.Context())
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // the client has gone
}
