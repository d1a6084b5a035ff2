package provisioningtest

import (
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/provisioning"
)

// members: they come and go in any order, twice if need be, and the group may become empty.
func (s *suite) members() {
	m, ok := s.c.(provisioning.Members)
	if !ok || s.target.Group == nil || !s.can.Members {
		return
	}
	a, b, c := s.addUser("a"), s.addUser("b"), s.addUser("c")
	group := s.add(provisioning.TypeGroup, s.target.Group(s.text("group")))
	s.wantMembers(group)
	for _, step := range []struct {
		name        string
		add, remove []provisioning.Ref
		want        []provisioning.Ref
	}{
		{"first", []provisioning.Ref{a, b}, nil, []provisioning.Ref{a, b}},
		{"again", []provisioning.Ref{a, b}, nil, []provisioning.Ref{a, b}},
		{"one is there", []provisioning.Ref{b, c}, nil, []provisioning.Ref{a, b, c}},
		{"both ways", nil, []provisioning.Ref{a}, []provisioning.Ref{b, c}},
		{"one is not there", []provisioning.Ref{a}, []provisioning.Ref{b}, []provisioning.Ref{a, c}},
		{"removed again", nil, []provisioning.Ref{b}, []provisioning.Ref{a, c}},
		{"the last ones", nil, []provisioning.Ref{a, c}, nil},
		{"into an empty one", []provisioning.Ref{c}, nil, []provisioning.Ref{c}},
	} {
		if err := m.PatchMembers(s.Context(), byID(group), step.add, step.remove); err != nil {
			s.Fatalf("%s: %v", step.name, err)
		}
		s.wantMembers(group, step.want...)
	}
}

// wantMembers reads a group back, alone and among all groups.
func (s *suite) wantMembers(group provisioning.Ref, want ...provisioning.Ref) {
	s.Helper()
	got, yield := collect(s.T)
	end, err := s.c.(provisioning.Reader).Read(s.Context(), provisioning.ReadRequest{Type: provisioning.TypeGroup}, yield)
	if err != nil || !end.Complete {
		s.Fatalf("read groups: %+v, %v", end, err)
	}
	for _, g := range []provisioning.Object{s.get(byID(group)), got.objects[group.ID]} {
		if diff := cmp.Diff(keys(want, g.Members), keys(g.Members, g.Members)); diff != "" || g.MembersUnknown {
			s.Errorf("members: -want +got\n%s", diff)
		}
	}
}

// keys are what the target tells members by: IDs or names.
func keys(refs, told []provisioning.Ref) []string {
	names := len(told) > 0 && told[0].ID == ""
	out := []string{}
	for _, r := range refs {
		if names {
			out = append(out, r.Name)
		} else {
			out = append(out, r.ID)
		}
	}
	slices.Sort(out)
	return out
}
