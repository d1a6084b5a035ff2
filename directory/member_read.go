package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
		m.Name = nameIn(doc)
		members = append(members, m)
	}
	if len(members) > limit {
		members = members[:limit]
		next = members[limit-1].ID
	}
	return members, next, rows.Err()
}

// GroupsOf returns the groups of a user, Everyone among them, in order of creation.
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
	rows, err := d.DB.Query(ctx, `SELECT m.member_rid, g.id, g.status, (SELECT d.doc FROM documents d WHERE d.rid = g.rid)
		FROM members m JOIN resources g ON g.rid = m.group_rid
		WHERE m.member_rid IN (`+list(2, len(rids))+`) AND m.group_rid <> $1
		ORDER BY m.member_rid, m.group_rid`, ridArgs(but, rids)...)
	if err != nil {
		return nil, fmt.Errorf("read groups of users: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	all := map[int64][]GroupRef{}
	for rows.Next() {
		var rid int64
		var g GroupRef
		var doc []byte
		if err := rows.Scan(&rid, &g.ID, &g.Type, &doc); err != nil {
			return nil, fmt.Errorf("read groups of users: %w", err)
		}
		g.Name = nameIn(doc)
		all[rid] = append(all[rid], g)
	}
	return all, rows.Err()
}

// MemberIDsOfAll returns the IDs of the members of several groups by row number.
func (d *Directory) MemberIDsOfAll(ctx context.Context, rids []int64) (map[int64][]string, error) {
	if len(rids) == 0 {
		return nil, nil
	}
	rows, err := d.DB.Query(ctx, `SELECT m.group_rid, r.id FROM members m JOIN resources r ON r.rid = m.member_rid
		WHERE m.group_rid IN (`+list(2, len(rids))+`) AND m.group_rid <> $1
		ORDER BY m.group_rid, m.member_rid`, ridArgs(d.everyone.rid, rids)...)
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	all := map[int64][]string{}
	for rows.Next() {
		var rid int64
		var id string
		if err := rows.Scan(&rid, &id); err != nil {
			return nil, fmt.Errorf("read members: %w", err)
		}
		all[rid] = append(all[rid], id)
	}
	return all, rows.Err()
}

func ridArgs(first int64, rids []int64) []any {
	args := []any{first}
	for _, rid := range rids {
		args = append(args, rid)
	}
	return args
}
