package feed

import (
	"context"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/schemas"
)

const (
	// readAtOnce is how many events are read from the log at a time, bodies and all.
	readAtOnce = 64
	// maxRead bounds the index entries that one reading goes through.
	maxRead = 2000
)

// reading is what a stream has to tell next.
type reading struct {
	sets []set
	upTo int64 // the number up to which everything is in sets or of no interest
	more bool  // the log goes on behind upTo
}

// read collects at most want SETs of a stream, of the changes after a number.
func (s *Service) read(ctx context.Context, st *Stream, after int64, want int) (reading, error) {
	out := reading{upTo: after}
	head, err := s.log().LastChange(ctx)
	if err != nil {
		return out, err
	}
	found, err := s.log().Changes(ctx, after, head, maxRead)
	if err != nil {
		return out, err
	}
	for part := range slices.Chunk(found, readAtOnce) {
		if len(out.sets) >= want {
			break
		}
		sets, err := s.setsOf(ctx, st, part)
		if err != nil {
			return out, err
		}
		if room := want - len(out.sets); len(sets) > room {
			out.upTo, out.more = sets[room-1].seq, true
			out.sets = append(out.sets, sets[:room]...)
			return out, nil
		}
		out.sets = append(out.sets, sets...)
		out.upTo = part[len(part)-1].Seq
	}
	if len(found) == 0 || len(found) < maxRead && out.upTo == found[len(found)-1].Seq {
		out.upTo = max(head, after) // nothing is left
	}
	out.more = out.upTo < head
	return out, nil
}

// setsOf makes the SETs of those events that a stream tells.
func (s *Service) setsOf(ctx context.Context, st *Stream, changes []events.Changed) ([]set, error) {
	var seqs []int64
	var ids []string
	for _, c := range changes {
		if len(st.Types) == 0 || slices.Contains(st.Types, c.Type) {
			seqs, ids = append(seqs, c.Seq), append(ids, c.ID)
		}
	}
	evs, err := s.log().Numbered(ctx, seqs)
	if err != nil {
		return nil, err
	}
	about, err := s.Dir.Subjects(ctx, st.Client, ids)
	if err != nil {
		return nil, err
	}
	of := subjects{schema: s.Dir.Schemas(), about: about, projections: map[string]*schemas.Projection{}}
	var sets []set
	for i := range evs {
		if evs[i].Resource == nil {
			continue
		}
		out, ok, err := s.setOf(st, &evs[i], of)
		if err != nil {
			return nil, err
		}
		if ok {
			sets = append(sets, out)
		}
	}
	return sets, nil
}

// subjects are what the SETs of some events have in common.
type subjects struct {
	schema      *schemas.Snapshot
	about       map[string]directory.Subject
	projections map[string]*schemas.Projection // by type
}

// projection is what a stream shows of a type.
func (c Config) projection(t *schemas.Type) (*schemas.Projection, error) {
	return t.ParseProjection(strings.Join(c.Attributes, ","), strings.Join(c.Excluded, ","))
}

func (of subjects) projection(st *Stream, t *schemas.Type) (*schemas.Projection, error) {
	if p, ok := of.projections[t.Name]; ok {
		return p, nil
	}
	p, err := st.projection(t)
	of.projections[t.Name] = p
	return p, err
}
