package scim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/provost-id/provost/internal/httpapi"
	wire "github.com/provost-id/provost/schemas/scim"
)

const (
	// maxBulks is how many bulk requests a node holds in memory at a time; others wait
	// with their bodies unread. Two cores and one writer make no more of them any faster.
	maxBulks = 4
	// bulkWriteTime is for sending the answer, however long the operations took.
	bulkWriteTime = 30 * time.Second
)

// bulk serves POST /Bulk (RFC 7644, section 3.7).
func (s *Server) bulk(w http.ResponseWriter, r *http.Request) {
	end, err := s.bulks.await(r)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	defer end()
	b, err := s.readBulk(w, r)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	b.run()
	if r.Context().Err() != nil {
		return // the client is gone
	}
	// Not every connection has deadlines; one that has none waits as long as it takes.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bulkWriteTime))
	writeJSON(w, http.StatusOK, b.response())
}

// readBulk reads the body and finds out what each operation is about.
func (s *Server) readBulk(w http.ResponseWriter, r *http.Request) (*bulk, error) {
	if err := checkMediaType(r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	if r.ContentLength > maxBulkPayload {
		drain(r)
		return nil, beyondPayload()
	}
	decoded, err := decodeBulk(http.MaxBytesReader(w, r.Body, maxBulkPayload), dialect(r))
	if err != nil {
		drain(r)
		return nil, err
	}
	hearBody(w, r, decoded.operations[0].data) // the first thing that the client says
	b := &bulk{Server: s, r: r, ops: decoded.operations, failOnErrors: decoded.failOnErrors}
	b.locate()
	b.resolve()
	return b, nil
}

// drain reads on what a client still sends of a body that is refused, up to a bound: many
// look for the answer only when they have sent all, and a connection that is closed
// before takes it with it.
func drain(r *http.Request) {
	_, _ = io.CopyN(io.Discard, r.Body, 4*maxBulkPayload) // it ends early as a rule
}

// bulk is a bulk request on its way.
type bulk struct {
	*Server
	r            *http.Request
	ops          []*bulkOperation
	failOnErrors int // 0 for any number
	byID         map[string]int
}

// locate finds the endpoints of all operations, under one version of the schema, and
// gives out the IDs of what is created.
func (b *bulk) locate() {
	snapshot := b.Directory.Schemas()
	find := func(name string) (endpoint, bool) {
		t, ok := snapshot.TypeAt(name)
		if !ok {
			return endpoint{}, false
		}
		return endpoint{Server: b.Server, kind: b.kinds.of(t), typ: t}, true
	}
	for _, op := range b.ops {
		if op.broken == nil {
			op.broken = op.locate(find)
		}
		if op.broken == nil {
			op.broken = op.at.checkType(b.r.Context())
		}
		if op.broken == nil && op.method == http.MethodPost {
			op.newID = b.Directory.NewID(op.at.typ.Name)
		}
	}
}

// operation is what the directory is asked for.
func (b *bulk) operation(op *bulkOperation) operation {
	o := operation{change: change(b.r), dialect: dialect(b.r), typ: op.at.typ, id: op.id, newID: op.newID}
	if op.version != "" && op.method != http.MethodPost {
		o.match = versionsOf(op.version)
	}
	return o
}

// response lists what was processed, in the order of the request.
func (b *bulk) response() []byte {
	out := wire.BulkResponse{Schemas: []string{wire.MessageBulked}, Operations: []wire.BulkOperation{}}
	for i, op := range b.ops {
		if op.done {
			out.Operations = append(out.Operations, b.answer(i, op, httpapi.PublicURL(b.r.Context())))
		}
	}
	body, err := json.Marshal(out)
	if err != nil { // only for a type that cannot be encoded
		panic(err)
	}
	return body
}

// answer is the result of one operation (RFC 7644, section 3.7.3): where the resource
// is, except for one that was not created, and the body of an error.
func (b *bulk) answer(i int, op *bulkOperation, public string) wire.BulkOperation {
	a := wire.BulkOperation{Method: op.method, BulkID: op.bulkID}
	id := op.id
	if op.method == http.MethodPost {
		id = op.newID
	}
	if op.err != nil {
		status, scimType, detail := b.problem(b.r, op.err)
		body := wire.NewError(status, scimType, inBulk(i, detail))
		a.Status, a.Response = body.Status, &body
		if op.method == http.MethodPost || op.at.typ == nil || op.unresolved {
			return a
		}
	}
	a.Location = op.at.location(public, id)
	if op.err == nil {
		a.Status = strconv.Itoa(op.status)
		if op.method != http.MethodDelete {
			a.Version = etag(op.row.volatile.Version)
		}
	}
	return a
}

// inBulk says which operation of a bulk request a detail is about.
func inBulk(i int, detail string) string { return fmt.Sprintf("bulk operation %d: %s", i+1, detail) }
