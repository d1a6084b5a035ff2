package directory

import (
	"context"
	"fmt"
	"strings"

	"github.com/provost-id/provost/schemas"
)

// MemberRef is a member of a group as a response names it.
type MemberRef struct {
	ID    string
	Group bool   // it is a group itself
	Name  string // as Member.Name, when it was asked for
}

// MemberHead is the members of a group, groups before people and each in order of
// creation. With More there are too many to be read with the group: MemberSet has them.
type MemberHead struct {
	Members []MemberRef
	More    bool
}

// Most groups have no more members than memberHead. headGroups bounds the groups in all
// the groups of one read.
const (
	memberHead = 100
	headGroups = 1000
)

// MemberHeads reads the members of several groups by row number with one query, however
// many they have. Those of Everyone are all users and never listed.
func (d *Directory) MemberHeads(ctx context.Context, rids []int64, names bool) (map[int64]MemberHead, error) {
	if len(rids) == 0 {
		return nil, nil
	}
	all := map[int64]MemberHead{}
	nested, last := 0, int64(0)
	err := eachRow("read members", func(row scanner) error {
		var group int64
		var people int
		var m MemberRef
		var doc []byte
		if err := row.Scan(&group, &people, &m.ID, &doc); err != nil {
			return err
		}
		if m.Group = people == 0; m.Group {
			nested, last = nested+1, group
		}
		if names {
			m.Name = schemas.NameIn(doc)
		}
		head := all[group]
		head.Members = append(head.Members, m)
		all[group] = head
		return nil
	})(d.DB.Query(ctx, headQuery(len(rids), names), ridArgs(d.everyone.rid, rids)...))
	if err != nil {
		return nil, err
	}
	for rid, head := range all {
		// A list of groups that was cut ends within one group, and lacks those after it.
		head.More = len(head.Members) > memberHead || nested == headGroups && rid >= last
		all[rid] = head
	}
	if nested == headGroups {
		for _, rid := range rids {
			if _, ok := all[rid]; !ok && rid > last {
				all[rid] = MemberHead{More: true}
			}
		}
	}
	return all, nil
}

// headQuery reads the first members of n groups. A LIMIT for each keeps PostgreSQL from
// sorting a million members to find a hundred.
func headQuery(n int, names bool) string {
	var q strings.Builder
	q.WriteString(`SELECT a.group_rid, a.people, x.id, ` + docOf("x", names) + ` FROM (`)
	for i := range n {
		fmt.Fprintf(&q, `SELECT group_rid, people, member_rid FROM (SELECT group_rid, 1 AS people, member_rid FROM members
			WHERE group_rid = $%d AND group_rid <> $1 ORDER BY member_rid LIMIT %d) p%d UNION ALL `, i+2, memberHead+1, i)
	}
	fmt.Fprintf(&q, `SELECT group_rid, people, member_rid FROM (SELECT group_rid, 0 AS people, member_rid FROM nested_groups
		WHERE group_rid IN (%s) ORDER BY group_rid, member_rid LIMIT %d) g`, list(2, n), headGroups)
	q.WriteString(`) a JOIN resources x ON x.rid = a.member_rid ORDER BY a.group_rid, a.people, a.member_rid`)
	return q.String()
}

// docOf selects the document of a resource, or nothing where no name is wanted.
func docOf(r string, names bool) string {
	if names {
		return `(SELECT d.doc FROM documents d WHERE d.rid = ` + r + `.rid)`
	}
	return `''`
}

func ridArgs(first int64, rids []int64) []any {
	args := []any{first}
	for _, rid := range rids {
		args = append(args, rid)
	}
	return args
}
