package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// metaTime is how the times of meta are written: to the microsecond.
const metaTime = "2006-01-02T15:04:05.000000Z"

// lineMembers is how many members stand on one line: a group of a million has a
// thousand lines.
const lineMembers = 1000

// jsonEncoder writes a SCIM resource on each line, with what stands beside it.
type jsonEncoder struct {
	ex          *exporter
	w           *bufio.Writer
	projections map[string]*schemas.Projection // of chosen attributes
	line        []byte
}

func newJSONEncoder(ex *exporter, w io.Writer) (*jsonEncoder, error) {
	e := &jsonEncoder{ex: ex, w: bufio.NewWriterSize(w, 1<<16), projections: map[string]*schemas.Projection{}}
	if len(ex.o.Attributes) == 0 {
		return e, nil
	}
	for _, typ := range ex.o.Types {
		t, _ := ex.schema.Type(typ) // it was checked
		p, err := t.ParseProjection(strings.Join(ex.o.Attributes, ","), "")
		if err != nil {
			return nil, err
		}
		e.projections[typ] = p
	}
	return e, nil
}

func (e *jsonEncoder) begin() error { return nil }
func (e *jsonEncoder) end() error   { return e.w.Flush() }

func (e *jsonEncoder) page(ctx context.Context, page []*directory.Stored) error {
	for _, s := range page {
		if err := e.resource(ctx, s); err != nil {
			return fmt.Errorf("write %s: %w", s.ID, err)
		}
	}
	return nil
}

func (e *jsonEncoder) resource(ctx context.Context, s *directory.Stored) error {
	if p := e.projections[s.Type]; p != nil {
		return e.chosen(s, p)
	}
	if err := e.whole(s); err != nil {
		return err
	}
	if s.Type != "Group" {
		return e.flushLine()
	}
	return e.withMembers(ctx, s)
}

func (e *jsonEncoder) flushLine() error {
	e.line = append(e.line, '}', '\n')
	_, err := e.w.Write(e.line)
	return err
}

// chosen writes the attributes that were asked for.
func (e *jsonEncoder) chosen(s *directory.Stored, p *schemas.Projection) error {
	t, _ := e.ex.schema.Type(s.Type) // it was checked
	v := schemas.Volatile{ID: s.ID, ExternalID: s.ExternalIDs[e.ex.o.Client], Created: s.Created, Modified: s.Modified, Version: s.Version}
	if s.Type == "User" {
		active := directory.Status(s.Status).Active()
		v.Active = &active
	}
	e.line = append(t.Render(e.line[:0], s.Doc, v, p), '\n')
	_, err := e.w.Write(e.line)
	return err
}

// whole begins a line with everything but the members of a group. The stored document
// is taken as it is.
func (e *jsonEncoder) whole(s *directory.Stored) error {
	b := beside{PasswordHash: s.PasswordHash, ExternalIDs: s.ExternalIDs}
	switch s.Type {
	case "User":
		b.Status = directory.Status(s.Status)
		for _, t := range []struct {
			from time.Time
			to   **time.Time
		}{{s.StatusChanged, &b.StatusChanged}, {s.Activated, &b.Activated}, {s.LastLogin, &b.LastLogin}, {s.PasswordChanged, &b.PasswordChanged}} {
			if !t.from.IsZero() {
				*t.to = &t.from
			}
		}
		if s.PasswordHash == "" {
			b.PasswordChanged = nil // it comes with the hash, or means nothing
		}
	case "Group":
		b.GroupType = directory.GroupType(s.Status)
	}
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	t, _ := e.ex.schema.Type(s.Type) // it was checked
	doc, err := t.Shown(s.Doc)
	if err != nil {
		return err
	}
	if len(doc) != len(s.Doc) {
		e.ex.note("values of attributes that are never shown were left out")
	}
	e.line = append(e.line[:0], doc[:len(doc)-1]...)
	e.line = append(e.line, `,"id":"`+s.ID+`"`...)
	if value := s.ExternalIDs[e.ex.o.Client]; value != "" && e.ex.o.Client != "" {
		quoted, err := json.Marshal(value)
		if err != nil {
			return err
		}
		e.line = append(append(e.line, `,"externalId":`...), quoted...)
	}
	if s.Type == "User" {
		e.line = append(e.line, `,"active":`+strconv.FormatBool(directory.Status(s.Status).Active())...)
	}
	e.line = fmt.Appendf(e.line, `,"meta":{"resourceType":%q,"created":%q,"lastModified":%q,"version":"W/\"%d\""}`,
		s.Type, s.Created.UTC().Format(metaTime), s.Modified.UTC().Format(metaTime), s.Version)
	e.line = append(append(e.line, `,"`+besideURN+`":`...), text...)
	return nil
}

// withMembers ends the line of a group with its first members, and writes more lines
// for the others.
func (e *jsonEncoder) withMembers(ctx context.Context, s *directory.Stored) error {
	n := 0
	err := e.ex.dir.WalkMembers(ctx, e.ex.rd, s.RID, func(page []*directory.StoredMember) error {
		for _, m := range page {
			switch {
			case n == 0:
				e.line = append(e.line, `,"members":[`...)
			case n%lineMembers == 0:
				e.line = append(e.line, ']')
				if err := e.flushLine(); err != nil {
					return err
				}
				e.line = append(e.line[:0], `{"schemas":["`+membersURN+`"],"id":"`+s.ID+`","members":[`...)
			default:
				e.line = append(e.line, ',')
			}
			e.line = append(e.line, `{"value":"`+m.ID+`","type":"`+m.Type+`"}`...)
			n++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if e.ex.members += int64(n); n > 0 {
		e.line = append(e.line, ']')
	}
	return e.flushLine()
}
