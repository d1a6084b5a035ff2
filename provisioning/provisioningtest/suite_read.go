package provisioningtest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/provost-id/provost/provisioning"
)

// collection is what a read told.
type collection struct {
	objects map[string]provisioning.Object
	deleted []string
	batches int
}

// collect returns a yield function that keeps what comes and checks the bounds of batches.
func collect(t *testing.T) (*collection, func(provisioning.Batch) error) {
	c := &collection{objects: map[string]provisioning.Object{}}
	return c, func(b provisioning.Batch) error {
		c.batches++
		if len(b.Objects) > provisioning.MaxBatch {
			t.Errorf("a batch of %d objects", len(b.Objects))
		}
		for _, o := range b.Objects {
			if _, twice := c.objects[o.ID]; twice {
				t.Errorf("%s was told twice", o.ID)
			}
			c.objects[o.ID] = o
		}
		for _, r := range b.Deleted {
			c.deleted = append(c.deleted, r.ID)
		}
		return nil
	}
}

// read: everything is told once, over several pages, and the end is proven.
func (s *suite) read() {
	var refs []provisioning.Ref
	for range 5 {
		refs = append(refs, s.addUser("read"))
	}
	got, yield := collect(s.T)
	end, err := s.c.(provisioning.Reader).Read(s.Context(), provisioning.ReadRequest{Type: provisioning.TypeUser, PageSize: 2}, yield)
	if err != nil || !end.Complete {
		s.Fatalf("read: %+v, %v", end, err)
	}
	if end.Total != len(got.objects) {
		s.Errorf("total is %d, told were %d", end.Total, len(got.objects))
	}
	for _, r := range refs {
		o, ok := got.objects[r.ID]
		if !ok || o.Name != r.Name || o.Type != provisioning.TypeUser || len(o.Attributes[s.target.Display]) != 1 {
			s.Errorf("%+v was told as %+v", r, o)
		}
	}
}

// readStopped: a read that was cut is an error and never complete, whoever cut it.
func (s *suite) readStopped() {
	s.addUser("stopped")
	s.addUser("stopped")
	r := s.c.(provisioning.Reader)
	enough := errors.New("enough")
	end, err := r.Read(s.Context(), provisioning.ReadRequest{Type: provisioning.TypeUser, PageSize: 1}, func(provisioning.Batch) error { return enough })
	if !errors.Is(err, enough) || end.Complete {
		s.Errorf("stopped by the reader: %+v, %v", end, err)
	}
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	end, err = r.Read(ctx, provisioning.ReadRequest{Type: provisioning.TypeUser, PageSize: 1}, func(provisioning.Batch) error {
		cancel()
		return nil
	})
	if err == nil || end.Complete {
		s.Errorf("cancelled: %+v, %v", end, err)
	}
}

// changes: the first time everything, then nothing, then only what has changed; a cursor that the target does not know is ErrCursorLost.
func (s *suite) changes() {
	c, ok := s.c.(provisioning.Syncer)
	if !ok || !s.can.Sync {
		return
	}
	stays, goes := s.addUser("stays"), s.addUser("goes")
	follow := func(cursor []byte) (*collection, provisioning.End) {
		s.Helper()
		got, yield := collect(s.T)
		end, err := c.Changes(s.Context(), provisioning.ChangeRequest{Type: provisioning.TypeUser, Cursor: cursor}, yield)
		if err != nil {
			s.Fatalf("changes: %v", err)
		}
		if len(end.Cursor) == 0 {
			s.Fatal("no cursor")
		}
		return got, end
	}
	read, err := s.c.(provisioning.Reader).Read(s.Context(), provisioning.ReadRequest{Type: provisioning.TypeUser}, func(provisioning.Batch) error { return nil })
	if err != nil {
		s.Fatalf("read: %v", err)
	}
	all, end := follow(nil)
	if !end.Complete || all.objects[stays.ID].ID == "" {
		s.Fatalf("the first time: %+v", end)
	}
	if none, e := follow(end.Cursor); len(none.objects)+len(none.deleted) != 0 || e.Complete {
		s.Errorf("nothing has changed, told were %d objects, %d deletions, %+v", len(none.objects), len(none.deleted), e)
	}
	delta := s.objectType(provisioning.TypeUser).Diff(all.objects[stays.ID].Attributes, map[string]any{s.target.Display: s.text("moved")})
	if _, err := s.writer().Update(s.Context(), byID(stays), delta, ""); err != nil {
		s.Fatalf("update: %v", err)
	}
	if err := s.writer().Delete(s.Context(), byID(goes)); err != nil {
		s.Fatalf("delete: %v", err)
	}
	s.wantChanges(end.Cursor, stays, goes, follow)
	if len(read.Cursor) > 0 { // a full read, too, is gone on from
		s.wantChanges(read.Cursor, stays, goes, follow)
	}
	_, yield := collect(s.T)
	end, err = c.Changes(s.Context(), provisioning.ChangeRequest{Type: provisioning.TypeUser, Cursor: []byte("rubbish")}, yield)
	if !errors.Is(err, provisioning.ErrCursorLost) || end.Complete {
		s.Errorf("an unknown cursor: %+v, %v, want ErrCursorLost", end, err)
	}
}

// wantChanges follows a cursor from before one update and one delete.
func (s *suite) wantChanges(cursor []byte, stays, goes provisioning.Ref, follow func([]byte) (*collection, provisioning.End)) {
	s.Helper()
	some, e := follow(cursor)
	if len(some.objects) != 1 || some.objects[stays.ID].ID == "" || !slices.Contains(some.deleted, goes.ID) || e.Complete {
		s.Errorf("one update and one delete were told as %d objects, deleted %v, %+v", len(some.objects), some.deleted, e)
	}
}
