package scim

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	wire "github.com/provost-id/provost/schemas/scim"
)

// memberStream is a long list of members that is read while it is written, so that the
// answer never stands in memory as a whole.
type memberStream struct {
	set   *directory.MemberSet
	shape memberShape
	at    int // where in the body it belongs
}

// streamsOf are the lists of rows that are written piece by piece.
func streamsOf(rows []stored) (all []*memberStream) {
	for _, row := range rows {
		if row.members != nil {
			all = append(all, row.members)
		}
	}
	return all
}

// pieceTime is how long a client may take for one piece of a long answer. The limit of
// the connection is for a whole one, and a million members may need longer.
const pieceTime = 30 * time.Second

// stream answers with a body and the lists that belong into it, in their order. An error
// on the way cuts the connection: what the client has is no JSON then.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, status int, body []byte, lists []*memberStream) {
	if len(lists) == 0 || r.Method == http.MethodHead {
		writeJSON(w, status, body)
		return
	}
	w.Header().Set("Content-Type", wire.MediaType)
	w.WriteHeader(status)
	p := pieces{w: w, control: http.NewResponseController(w)}
	done := 0
	for _, l := range lists {
		p.write(body[done:l.at])
		p.list(r, l)
		done = l.at
	}
	p.write(body[done:])
	if p.err == nil {
		p.err = p.control.Flush()
	}
	if p.err != nil {
		s.Directory.Log.InfoContext(r.Context(), "answer cut off", slog.String("request_id", httpapi.RequestID(r.Context())), slog.Any("error", p.err))
		panic(http.ErrAbortHandler)
	}
	_ = p.control.SetWriteDeadline(time.Time{}) // the next request on the connection sets its own
}

// pieces writes until something fails.
type pieces struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

func (p *pieces) write(b []byte) {
	if p.err != nil {
		return
	}
	_ = p.control.SetWriteDeadline(time.Now().Add(pieceTime)) // where there is none, none is needed
	_, p.err = p.w.Write(b)
}

// list writes the members of a set. Something stands before them.
func (p *pieces) list(r *http.Request, l *memberStream) {
	if p.err != nil {
		return
	}
	b, first := []byte(`,"members":[`), true
	err := l.set.Each(r.Context(), func(members []directory.MemberRef) error {
		for _, m := range members {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = l.shape.append(b, m)
		}
		p.write(b)
		b = b[:0]
		return p.err
	})
	if err != nil {
		p.err = err
		return
	}
	p.write(append(b, ']'))
}
