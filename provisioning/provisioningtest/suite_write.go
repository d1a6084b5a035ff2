package provisioningtest

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/provisioning"
)

func (s *suite) removeLater(r provisioning.Ref) {
	s.Cleanup(func() {
		if err := s.writer().Delete(context.WithoutCancel(s.Context()), r); err != nil {
			s.Errorf("clean up %+v: %v", r, err)
		}
	})
}

// describe: what is declared is there, and a connection test of a good configuration is all well.
func (s *suite) describe() {
	_, reads := s.c.(provisioning.Reader)
	_, syncs := s.c.(provisioning.Syncer)
	_, members := s.c.(provisioning.Members)
	_, passwords := s.c.(provisioning.Passworder)
	for name, ok := range map[string]bool{
		"Read": reads || !s.can.Read, "Sync": syncs || !s.can.Sync,
		"Members": members || !s.can.Members, "Password": passwords || !s.can.Password,
	} {
		if !ok {
			s.Errorf("%s is declared and not there", name)
		}
	}
	if s.can.Target == "" || !slices.Contains(s.can.Types, provisioning.TypeUser) {
		s.Errorf("capabilities: %+v", s.can)
	}
	for _, c := range s.c.Test(s.Context()) {
		if !c.OK {
			s.Errorf("check %s: %s", c.Name, c.Detail)
		}
	}
}

// create: every value comes back as it was sent, by ID, by our own ID where the target keeps it, and by name.
func (s *suite) create() {
	profile := s.target.User(s.text("create"))
	o := s.object(provisioning.TypeUser, profile)
	ref, err := s.writer().Create(s.Context(), o, "key-of-create")
	if err != nil {
		s.Fatalf("create: %v", err)
	}
	s.removeLater(ref)
	got := s.get(byID(ref))
	if got.ID != ref.ID || got.Name != ref.Name || !got.Active {
		s.Errorf("got %+v, created %+v", got.Ref, ref)
	}
	for name, want := range o.Attributes {
		if diff := cmp.Diff(want, got.Attributes[name]); diff != "" {
			s.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	if byName := s.get(provisioning.Ref{Type: ref.Type, Name: ref.Name}); byName.ID != ref.ID {
		s.Errorf("by name: %+v", byName.Ref)
	}
	if ref.ExternalID != "" {
		if byKey := s.get(provisioning.Ref{Type: ref.Type, ExternalID: "key-of-create"}); byKey.ID != ref.ID || byKey.ExternalID != "key-of-create" {
			s.Errorf("by our own ID: %+v", byKey.Ref)
		}
	}
}

func (s *suite) createTwice() {
	o := s.object(provisioning.TypeUser, s.target.User(s.text("twice")))
	ref, err := s.writer().Create(s.Context(), o, "key-of-twice")
	if err != nil {
		s.Fatalf("create: %v", err)
	}
	s.removeLater(ref)
	again, err := s.writer().Create(s.Context(), o, "key-of-twice-2")
	if !errors.Is(err, provisioning.ErrConflict) {
		s.Errorf("the second create returned %+v and %v, want ErrConflict", again, err)
	}
	s.wantWords(err)
}

// wantWords asks for what the target said in its own words.
func (s *suite) wantWords(err error) {
	s.Helper()
	var e *provisioning.Error
	if !errors.As(err, &e) || e.Status == 0 || e.Op == "" {
		s.Errorf("the error %#v tells not what was tried and what the target answered", err)
	}
}

// update: only what the delta says changes; a second time there is nothing to do, and that is no error.
func (s *suite) update() {
	ref := s.addUser("update")
	before := s.get(byID(ref))
	typ := s.objectType(provisioning.TypeUser)
	profile := map[string]any{s.target.Display: s.text("changed"), s.target.Optional: nil}
	delta := typ.Diff(before.Attributes, profile)
	if len(delta.Set) != 2 {
		s.Fatalf("delta of two attributes: %+v", delta)
	}
	for range 2 {
		if _, err := s.writer().Update(s.Context(), byID(ref), delta, ""); err != nil {
			s.Fatalf("update: %v", err)
		}
	}
	after := s.get(byID(ref))
	want := maps.Clone(before.Attributes)
	for name, ch := range delta.Set {
		want[name] = ch.To
		if len(ch.To) == 0 {
			delete(want, name)
		}
	}
	if diff := cmp.Diff(want, after.Attributes); diff != "" {
		s.Errorf("-want +got\n%s", diff)
	}
	if again := typ.Diff(after.Attributes, profile); !again.Empty() {
		s.Errorf("still different: %+v", again)
	}
}

// nobody: an object that was deleted is not found, and another delete is no error.
func (s *suite) nobody() {
	ref := s.addUser("nobody")
	if err := s.writer().Delete(s.Context(), byID(ref)); err != nil {
		s.Fatalf("delete: %v", err)
	}
	delta := provisioning.Delta{Set: map[string]provisioning.Change{s.target.Display: {To: []string{"x"}}}}
	if _, err := s.writer().Update(s.Context(), byID(ref), delta, ""); !errors.Is(err, provisioning.ErrNotFound) {
		s.Errorf("update: %v, want ErrNotFound", err)
	}
	if _, err := s.getter().Get(s.Context(), provisioning.Ref{Type: ref.Type, Name: ref.Name}); !errors.Is(err, provisioning.ErrNotFound) {
		s.Errorf("get by name: %v, want ErrNotFound", err)
	}
}

func (s *suite) remove() {
	ref := s.addUser("delete")
	for range 2 {
		if err := s.writer().Delete(s.Context(), byID(ref)); err != nil {
			s.Fatalf("delete: %v", err)
		}
	}
	if o, err := s.getter().Get(s.Context(), byID(ref)); !errors.Is(err, provisioning.ErrNotFound) {
		s.Errorf("get after delete: %+v, %v, want ErrNotFound", o.Ref, err)
	}
}

// deactivate: it is idempotent, and undone without a trace.
func (s *suite) deactivate() {
	ref := s.addUser("deactivate")
	before := s.get(byID(ref))
	for _, active := range []bool{false, false, true, true} {
		if _, err := s.writer().Update(s.Context(), byID(ref), provisioning.Delta{Active: &active}, ""); err != nil {
			s.Fatalf("active=%v: %v", active, err)
		}
		if got := s.get(byID(ref)); got.Active != active {
			s.Errorf("active is %v, want %v", got.Active, active)
		}
	}
	if diff := cmp.Diff(before.Attributes, s.get(byID(ref)).Attributes); diff != "" {
		s.Errorf("attributes changed: -before +after\n%s", diff)
	}
	o := s.object(provisioning.TypeUser, s.target.User(s.text("inactive")))
	o.Active = false
	created, err := s.writer().Create(s.Context(), o, "key-of-inactive")
	if err != nil {
		s.Fatalf("create an inactive user: %v", err)
	}
	s.removeLater(created)
	if s.get(byID(created)).Active {
		s.Error("created inactive, and is active")
	}
}

func (s *suite) password() {
	p, ok := s.c.(provisioning.Passworder)
	if !ok || !s.can.Password {
		return
	}
	ref := s.addUser("password")
	for _, bad := range []string{"", "with\x00nul"} {
		if err := p.SetPassword(s.Context(), byID(ref), bad); !errors.Is(err, provisioning.ErrInvalid) {
			s.Errorf("password %q: %v, want ErrInvalid", bad, err)
		}
	}
	if err := p.SetPassword(s.Context(), byID(ref), "correct horse ü"); err != nil {
		s.Fatalf("set password: %v", err)
	}
}
