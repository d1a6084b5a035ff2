package feed

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

const (
	// maxPoll bounds what one poll returns: SETs, and the bytes of them beyond the first.
	maxPoll      = 200
	maxPollBytes = 4 << 20
	// pollsEach bounds the polls of a stream that wait at one node; more are answered at
	// once.
	pollsEach = 4
	// maxAcks bounds what one poll acknowledges.
	maxAcks = 1000
)

// PollRequest is the body of a poll (RFC 8936, section 2.2).
type PollRequest struct {
	MaxEvents         *int               `json:"maxEvents"`
	ReturnImmediately bool               `json:"returnImmediately"`
	Ack               []string           `json:"ack"`
	SetErrs           map[string]refusal `json:"setErrs"`
}

// PollResponse is the answer (RFC 8936, section 2.3): signed SETs by their jti.
type PollResponse struct {
	Sets          map[string]string
	MoreAvailable bool

	order []string // of the jtis: that of the events
}

// MarshalJSON implements json.Marshaler. The members of sets stand in the order of the
// events, for those receivers whose JSON keeps it.
func (r *PollResponse) MarshalJSON() ([]byte, error) {
	b := []byte(`{"sets":{`)
	for i, id := range r.order {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `"`+id+`":"`+r.Sets[id]+`"`...) // neither has a character that JSON escapes
	}
	b = append(b, '}')
	if r.MoreAvailable {
		b = append(b, `,"moreAvailable":true`...)
	}
	return append(b, '}'), nil
}

// Poll acknowledges what the receiver has, and returns what has not been acknowledged,
// the oldest first. Until it is acknowledged, a SET is returned again. Without anything
// to return the poll waits, unless it asks not to. A stream of somebody else is as one
// that does not exist.
func (s *Service) Poll(ctx context.Context, streamID, client string, r PollRequest) (*PollResponse, error) {
	st, err := s.Stream(ctx, streamID)
	if err != nil {
		return nil, err
	}
	if st.Method != Poll || client == "" || st.Client != client {
		return nil, ErrNotFound
	}
	if len(r.Ack)+len(r.SetErrs) > maxAcks {
		return nil, fault("ack", "more than %d acknowledgements at once", maxAcks)
	}
	if err := s.acknowledge(ctx, streamID, r); err != nil {
		return nil, err
	}
	want := maxPoll
	if r.MaxEvents != nil {
		want = min(max(*r.MaxEvents, 0), maxPoll)
	}
	if want == 0 { // RFC 8936, section 2.2: a request that only acknowledges
		out, err := s.collect(ctx, streamID, 1)
		if err != nil {
			return nil, err
		}
		return &PollResponse{Sets: map[string]string{}, MoreAvailable: len(out.Sets) > 0}, nil
	}
	return s.wait(ctx, streamID, want, r.ReturnImmediately)
}

// wait collects until there is something, or long enough.
func (s *Service) wait(ctx context.Context, streamID string, want int, immediately bool) (*PollResponse, error) {
	immediately = immediately || !s.mayWait(streamID)
	if !immediately {
		defer s.waited(streamID)
	}
	deadline := time.NewTimer(s.PollWait)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		woken, over := s.woken()
		out, err := s.collect(ctx, streamID, want)
		if err != nil || len(out.Sets) > 0 || immediately || over {
			return out, err
		}
		select {
		case <-ctx.Done():
			return out, nil
		case <-deadline.C:
			return out, nil
		case <-woken:
		case <-tick.C:
		}
	}
}

// mayWait counts a poll that waits.
func (s *Service) mayWait(streamID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.polls[streamID] >= pollsEach {
		return false
	}
	s.polls[streamID]++
	return true
}

func (s *Service) waited(streamID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.polls[streamID]--; s.polls[streamID] == 0 {
		delete(s.polls, streamID)
	}
}

// collect returns what is outstanding, and beyond it new SETs, which are outstanding
// from then on.
func (s *Service) collect(ctx context.Context, streamID string, want int) (*PollResponse, error) {
	for {
		st, err := s.Stream(ctx, streamID)
		if err != nil {
			return nil, err
		}
		if st.Status != Enabled {
			return nil, fmt.Errorf("%w: it is %s", ErrStopped, st.Status)
		}
		sets, more, err := s.outstanding(ctx, st, want)
		if err != nil {
			return nil, err
		}
		if !more {
			// One more than wanted tells whether there is more.
			next, err := s.read(ctx, st, st.Position, want-len(sets)+1)
			if err != nil {
				return nil, err
			}
			if more = len(sets)+len(next.sets) > want; more {
				next.sets = next.sets[:len(next.sets)-1]
				next.upTo = st.Position
				if n := len(next.sets); n > 0 {
					next.upTo = next.sets[n-1].seq
				}
			}
			ours, err := s.handOut(ctx, st, next)
			if err != nil {
				return nil, err
			}
			if !ours || len(sets)+len(next.sets) == 0 && next.more {
				continue // another poll was faster, or there is more to read
			}
			sets = append(sets, next.sets...)
		}
		return s.respond(ctx, st, sets, more)
	}
}

// outstanding makes again the SETs that nobody has acknowledged.
func (s *Service) outstanding(ctx context.Context, st *Stream, want int) (sets []set, more bool, err error) {
	if st.Waiting == 0 {
		return nil, false, nil
	}
	rows, err := s.db().Query(ctx, `SELECT o.seq, COALESCE(e.resource, '') FROM event_stream_outstanding o LEFT JOIN events e ON e.seq = o.seq
		WHERE o.stream_id = $1 ORDER BY o.seq LIMIT $2`, st.ID, want+1)
	if err != nil {
		return nil, false, fmt.Errorf("read outstanding SETs: %w", err)
	}
	found, err := scanChanges(rows)
	if err != nil {
		return nil, false, fmt.Errorf("read outstanding SETs: %w", err)
	}
	if more = len(found) > want; more {
		found = found[:want]
	}
	for part := range slices.Chunk(found, readAtOnce) {
		some, err := s.setsOf(ctx, st, part)
		if err != nil {
			return nil, false, err
		}
		sets = append(sets, some...)
	}
	if len(sets) == len(found) {
		return sets, more, nil
	}
	// What the stream tells has been changed since: nobody will acknowledge the others.
	keep := map[int64]bool{}
	for _, x := range sets {
		keep[x.seq] = true
	}
	err = s.db().Write(ctx, func(tx *sqldb.Tx) error {
		for _, c := range found {
			if keep[c.Seq] {
				continue
			}
			if err := forget(tx, st.ID, c.Seq); err != nil {
				return err
			}
		}
		return nil
	})
	return sets, more, err
}

// handOut makes what was read outstanding; ours is false when another poll has done so
// in the meantime.
func (s *Service) handOut(ctx context.Context, st *Stream, r reading) (ours bool, err error) {
	if r.upTo == st.Position {
		return true, nil
	}
	err = s.db().Write(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`UPDATE event_streams SET position = $3 WHERE id = $1 AND position = $2 AND status = 'ENABLED'`, st.ID, st.Position, r.upTo)
		if err != nil {
			return fmt.Errorf("move stream: %w", err)
		}
		n, err := res.RowsAffected()
		if ours = n == 1; err != nil || !ours || len(r.sets) == 0 {
			return err
		}
		values := make([]any, 0, 2*len(r.sets))
		for _, x := range r.sets {
			values = append(values, st.ID, x.seq)
		}
		if _, err := tx.InsertMany(`INSERT INTO event_stream_outstanding (stream_id, seq)`, 2, "", values); err != nil {
			return fmt.Errorf("hand out SETs: %w", err)
		}
		return nil
	})
	return ours, err
}

// respond signs. What would make the answer too long is left for the next poll: it is
// outstanding, and so the first of that.
func (s *Service) respond(ctx context.Context, st *Stream, sets []set, more bool) (*PollResponse, error) {
	out := &PollResponse{Sets: map[string]string{}, MoreAvailable: more}
	size := 0
	for _, x := range sets {
		if size > maxPollBytes {
			out.MoreAvailable = true
			break
		}
		signed, err := s.sign(ctx, st, x)
		if err != nil {
			return nil, err
		}
		size += len(signed)
		out.Sets[x.claims.ID] = signed
		out.order = append(out.order, x.claims.ID)
	}
	return out, nil
}
