package scim

import (
	"context"
	"encoding/json"

	"github.com/provost-id/provost/directory"
)

// addGroups gives each user its groups (RFC 7643, section 4.1.2), read for the whole
// page at once. Everyone is left out: everybody is in it.
func (s *Server) addGroups(ctx context.Context, rows []stored, base string) error {
	all, err := s.Directory.GroupsOfAll(ctx, rids(rows))
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].volatile.Extra = groupsJSON(all[rows[i].rid], base)
	}
	return nil
}

func groupsJSON(groups []directory.GroupRef, base string) []byte {
	if len(groups) == 0 {
		return nil
	}
	b := []byte(`"groups":[`)
	for i, g := range groups {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"value":"`+g.ID+`","$ref":"`+base+`/Groups/`+g.ID+`","display":`...)
		name, err := json.Marshal(g.Name)
		if err != nil { // a string always encodes
			panic(err)
		}
		typ := "direct"
		if g.Indirect {
			typ = "indirect"
		}
		b = append(append(b, name...), `,"type":"`+typ+`"}`...)
	}
	return append(b, ']')
}

// addMembers gives each group its members (RFC 7643, section 4.2).
func (s *Server) addMembers(ctx context.Context, rows []stored, base string) error {
	all, err := s.Directory.MemberIDsOfAll(ctx, rids(rows))
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].volatile.Extra = membersJSON(all[rows[i].rid], base)
	}
	return nil
}

func membersJSON(ids []string, base string) []byte {
	if len(ids) == 0 {
		return nil
	}
	b := make([]byte, 0, len(ids)*(len(base)+96))
	b = append(b, `"members":[`...)
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"value":"`...)
		b = append(b, id...)
		b = append(b, `","$ref":"`...)
		b = append(b, base...)
		typ := "User"
		if directory.IsGroupID(id) {
			typ = "Group"
		}
		b = append(b, '/')
		b = append(b, typ...)
		b = append(b, `s/`...)
		b = append(b, id...)
		b = append(b, `","type":"`...)
		b = append(b, typ...)
		b = append(b, `"}`...)
	}
	return append(b, ']')
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
