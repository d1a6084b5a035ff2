package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Members returns up to limit members of a group in order of their creation, after the
// user with the ID after. next is empty at the end.
func (d *Directory) Members(ctx context.Context, groupID, after string, limit int) (members []Member, next string, err error) {
	rows, err := d.DB.Query(ctx, `SELECT r.id, (SELECT d.doc FROM documents d WHERE d.rid = r.rid)
		FROM members m JOIN resources r ON r.rid = m.member_rid
		WHERE m.group_rid = (SELECT rid FROM resources WHERE id = $1 AND type = 'Group')
			AND m.member_rid > COALESCE((SELECT rid FROM resources WHERE id = $2), 0)
		ORDER BY m.member_rid LIMIT $3`, groupID, after, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("read members: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		var m Member
		var doc []byte
		if err := rows.Scan(&m.ID, &doc); err != nil {
			return nil, "", fmt.Errorf("read members: %w", err)
		}
		m.Name = schemas.NameIn(doc)
		members = append(members, m)
	}
	if len(members) > limit {
		members = members[:limit]
		next = members[limit-1].ID
	}
	return members, next, rows.Err()
}

// GroupsOf returns the groups of a user: those that it is a member of in order of
// creation, Everyone among them, and then those that it is in indirectly.
func (d *Directory) GroupsOf(ctx context.Context, userID string) ([]GroupRef, error) {
	var rid int64
	err := d.DB.QueryRow(ctx, `SELECT rid FROM resources WHERE id = $1 AND type = 'User'`, userID).Scan(&rid)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("find user: %w", err)
	}
	all, err := d.groupsOf(ctx, []int64{rid}, 0)
	return all[rid], err
}

// GroupsOfAll returns the groups of several users by row number, Everyone left out.
func (d *Directory) GroupsOfAll(ctx context.Context, rids []int64) (map[int64][]GroupRef, error) {
	return d.groupsOf(ctx, rids, d.everyone.rid)
}

func (d *Directory) groupsOf(ctx context.Context, rids []int64, but int64) (map[int64][]GroupRef, error) {
	if len(rids) == 0 {
		return nil, nil
	}
	direct, err := d.directGroups(ctx, rids, but)
	if err != nil {
		return nil, err
	}
	var nested []int64
	for _, groups := range direct {
		for _, g := range groups {
			if g.nested {
				nested = append(nested, g.rid)
			}
		}
	}
	slices.Sort(nested)
	up, err := d.groupsAbove(ctx, slices.Compact(nested))
	if err != nil {
		return nil, err
	}
	all := make(map[int64][]GroupRef, len(direct))
	for rid, groups := range direct {
		refs := make([]GroupRef, 0, len(groups))
		for _, g := range append(groups, up.of(groups)...) {
			refs = append(refs, g.GroupRef)
		}
		all[rid] = refs
	}
	return all, nil
}

// groupsOfOne is said once: every GET of a user asks it.
var groupsOfOne = groupsQuery(1)

// groupsQuery asks for the groups of n users, but one, that the first argument names.
func groupsQuery(n int) string {
	return `SELECT m.member_rid, g.rid, g.id, g.status, (SELECT d.doc FROM documents d WHERE d.rid = g.rid),
			EXISTS (SELECT 1 FROM nested_groups n WHERE n.member_rid = g.rid)
		FROM members m JOIN resources g ON g.rid = m.group_rid
		WHERE m.member_rid IN (` + list(2, n) + `) AND m.group_rid <> $1 AND g.type = 'Group'
		ORDER BY m.member_rid, m.group_rid`
}

// directGroups reads the groups that users are members of. Only those that are in other
// groups cost a second look.
func (d *Directory) directGroups(ctx context.Context, rids []int64, but int64) (map[int64][]inGroup, error) {
	all := make(map[int64][]inGroup, len(rids))
	query := groupsOfOne
	if len(rids) > 1 {
		query = groupsQuery(len(rids))
	}
	err := d.DB.Lookup(ctx, func(row sqldb.Scanner) error {
		var rid int64
		var g inGroup
		var doc []byte
		if err := row.Scan(&rid, &g.rid, &g.ID, &g.Type, &doc, &g.nested); err != nil {
			return err
		}
		g.Name = schemas.NameIn(doc)
		all[rid] = append(all[rid], g)
		return nil
	}, query, ridArgs(but, rids)...)
	if err != nil {
		return nil, fmt.Errorf("read groups of users: %w", err)
	}
	return all, nil
}

func ridArgs(first int64, rids []int64) []any {
	args := []any{first}
	for _, rid := range rids {
		args = append(args, rid)
	}
	return args
}
