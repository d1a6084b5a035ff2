package scim

import (
	"context"
	"slices"
	"strconv"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// addGroups gives each user its groups (RFC 7643, section 4.1.2), read for the whole
// page at once. Everyone is left out: everybody is in it.
func (s *Server) addGroups(ctx context.Context, rows []stored, q asked) error {
	all, err := s.Directory.GroupsOfAll(ctx, inGroups(rows))
	if err != nil {
		return err
	}
	seen := limits(ctx).Within()
	for i := range rows {
		groups := all[rows[i].rid]
		if seen != nil {
			groups = slices.DeleteFunc(groups, func(g directory.GroupRef) bool { return !slices.Contains(seen, g.ID) })
		}
		rows[i].volatile.Extra = groupsJSON(groups, q.public)
	}
	return nil
}

func groupsJSON(groups []directory.GroupRef, public string) []byte {
	if len(groups) == 0 {
		return nil
	}
	const each = 160 // about what a group takes
	b := append(make([]byte, 0, each*(1+len(groups))), `"groups":[`...)
	for i, g := range groups {
		if i > 0 {
			b = append(b, ',')
		}
		for _, text := range [...]string{`{"value":"`, g.ID, `","$ref":"`, public, Base + `/Groups/`, g.ID, `","display":`} {
			b = append(b, text...)
		}
		b = schemas.AppendString(b, g.Name)
		if g.Indirect {
			b = append(b, `,"type":"indirect"}`...)
		} else {
			b = append(b, `,"type":"direct"}`...)
		}
	}
	return append(b, ']')
}

// addMembers gives each group its members (RFC 7643, section 4.2): few of them with the
// page, and of a long list who they are, to be written piece by piece.
func (s *Server) addMembers(ctx context.Context, rows []stored, q asked) error {
	shape := shapeOf(q)
	shape.seen = limits(ctx).Within()
	elements := q.projection.Elements()
	if elements != nil {
		return s.addElements(ctx, rows, q, shape, elements)
	}
	heads, err := s.Directory.MemberHeads(ctx, rids(rows), shape.display)
	if err != nil {
		return err
	}
	for i := range rows {
		head := heads[rows[i].rid]
		if head.More {
			err = s.addStream(ctx, &rows[i], shape, directory.MemberQuery{Names: shape.display})
		} else {
			rows[i].volatile.Extra = membersJSON(head.Members, shape)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addElements gives each group those members that the request asks for by a filter or
// a page.
func (s *Server) addElements(ctx context.Context, rows []stored, q asked, shape memberShape, e *schemas.Elements) error {
	for i := range rows {
		err := s.addStream(ctx, &rows[i], shape, directory.MemberQuery{
			Filter: e.Filter, Base: q.public + Base, Seen: shape.seen, Client: q.client, Names: shape.display,
			Paged: e.Paged, StartIndex: e.StartIndex, Count: e.Count, UseCursor: e.UseCursor, Cursor: e.Cursor,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) addStream(ctx context.Context, row *stored, shape memberShape, q directory.MemberQuery) error {
	set, err := s.Directory.MemberSet(ctx, row.rid, q)
	if err != nil {
		return err
	}
	row.volatile.Meta = pageMeta(set)
	if set.Len() > 0 {
		row.members = &memberStream{set: set, shape: shape}
		row.volatile.ExtraAt = &row.members.at
	}
	return nil
}

// pageMeta tells how many members match, or where the next page begins
// (draft-hunt-scim-mv-paging-00).
func pageMeta(set *directory.MemberSet) []byte {
	switch {
	case set.Next != "":
		return []byte(`"members.nextCursor":"` + set.Next + `"`)
	case set.Total >= 0:
		return strconv.AppendInt([]byte(`"members.cnt":`), int64(set.Total), 10)
	}
	return nil
}

// memberShape is what is shown of each member.
type memberShape struct {
	base                     string
	value, ref, typ, display bool
	seen                     []string // the groups whose names are shown; nil for all
}

func shapeOf(q asked) memberShape {
	show := func(sub string) bool { return q.projection.IncludesSub("members", sub) }
	return memberShape{base: q.public + Base, value: show("value"), ref: show("$ref"), typ: show("type"), display: show("display")}
}

func membersJSON(members []directory.MemberRef, shape memberShape) []byte {
	if len(members) == 0 {
		return nil
	}
	b := make([]byte, 0, len(members)*(len(shape.base)+96))
	b = append(b, `"members":[`...)
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = shape.append(b, m)
	}
	return append(b, ']')
}

// names says that the name of a member is shown: not that of a group which the token does
// not see.
func (s memberShape) names(m directory.MemberRef) bool {
	return !m.Group || s.seen == nil || slices.Contains(s.seen, m.ID)
}

func (s memberShape) append(b []byte, m directory.MemberRef) []byte {
	typ := "User"
	if m.Group {
		typ = "Group"
	}
	b = append(b, '{')
	start := len(b)
	name := func(name string) {
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), `":`...)
	}
	if s.value {
		name("value")
		b = append(append(append(b, '"'), m.ID...), '"')
	}
	if s.ref {
		name("$ref")
		b = append(append(append(append(append(append(append(b, '"'), s.base...), '/'), typ...), `s/`...), m.ID...), '"')
	}
	if s.typ {
		name("type")
		b = append(append(append(b, '"'), typ...), '"')
	}
	if s.display && s.names(m) {
		name("display")
		b = schemas.AppendString(b, m.Name)
	}
	return append(b, '}')
}

func inGroups(rows []stored) []directory.InGroups {
	all := make([]directory.InGroups, 0, len(rows))
	for _, r := range rows {
		if r.related {
			all = append(all, directory.InGroups{RID: r.rid, Text: r.groups})
		}
	}
	return all
}

func rids(rows []stored) []int64 {
	all := make([]int64, 0, len(rows))
	for _, r := range rows {
		if r.related {
			all = append(all, r.rid)
		}
	}
	return all
}
