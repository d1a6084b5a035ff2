package directory

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// InGroups is a user whose groups are asked for, with what its row told of them: empty
// when they were not read with it.
type InGroups struct {
	RID  int64
	Text GroupsText
}

// GroupsText is the groups that a user is a member of, as one column of the user's row
// holds them: a line each, with the fields of inGroup. Neither separator can stand in
// them, as JSON escapes both.
type GroupsText string

const (
	fieldEnd = "\x1f"
	lineEnd  = "\x1e"
)

// groupsColumn is the GroupsText of user r, but for one group. A query of its own would
// cost a GET as much again as the user.
func groupsColumn(but int64) string {
	return `COALESCE((SELECT string_agg(g.rid || '` + fieldEnd + `' || g.id || '` + fieldEnd + `' || g.status || '` + fieldEnd + `'
			|| CASE WHEN EXISTS (SELECT 1 FROM nested_groups n WHERE n.member_rid = g.rid) THEN 'nested' ELSE '' END || '` + fieldEnd + `'
			|| (SELECT d.doc FROM documents d WHERE d.rid = g.rid), '` + lineEnd + `')
		FROM members m JOIN resources g ON g.rid = m.group_rid
		WHERE m.member_rid = r.rid AND +m.group_rid <> ` + strconv.FormatInt(but, 10) + ` AND g.type = 'Group'), '')`
}

// groupsBeside is groupsColumn for everybody's group left out: who has never been in
// another costs nothing.
func groupsBeside(everyone int64) string {
	return `CASE WHEN r.members_changed IS NULL THEN '' ELSE ` + groupsColumn(everyone) + ` END`
}

// groups reads the lines in order of creation.
func (t GroupsText) groups() ([]inGroup, error) {
	all := make([]inGroup, 0, 1+strings.Count(string(t), lineEnd))
	for line := range strings.SplitSeq(string(t), lineEnd) {
		g, err := parseInGroup(line)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b inGroup) int { return cmp.Compare(a.rid, b.rid) })
	return all, nil
}

func parseInGroup(line string) (g inGroup, err error) {
	var rid, typ, nested string
	rid, line, _ = strings.Cut(line, fieldEnd)
	g.ID, line, _ = strings.Cut(line, fieldEnd)
	typ, line, _ = strings.Cut(line, fieldEnd)
	nested, doc, ok := strings.Cut(line, fieldEnd)
	if g.rid, err = strconv.ParseInt(rid, 10, 64); err != nil || !ok {
		return g, fmt.Errorf("read groups of users: unexpected line %q", line)
	}
	g.Type, g.nested, g.Name = GroupType(typ), nested != "", schemas.NameIn([]byte(doc))
	return g, nil
}

// GroupsOf returns the groups of a user: those that it is a member of in order of
// creation, Everyone among them, and then those that it is in indirectly.
func (d *Directory) GroupsOf(ctx context.Context, userID string) ([]GroupRef, error) {
	var u InGroups
	err := d.DB.QueryRow(ctx, `SELECT r.rid, `+groupsColumn(0)+`
		FROM resources r WHERE r.id = $1 AND r.type = 'User'`, userID).Scan(&u.RID, (*string)(&u.Text))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read groups of user: %w", err)
	}
	all, err := d.groupsIn(ctx, map[int64]GroupsText{u.RID: u.Text})
	return all[u.RID], err
}

// GroupsOfAll returns the groups of several users by row number, Everyone left out.
func (d *Directory) GroupsOfAll(ctx context.Context, users []InGroups) (map[int64][]GroupRef, error) {
	if len(users) == 0 {
		return nil, nil
	}
	texts := make(map[int64]GroupsText, len(users))
	var unread []any
	for _, u := range users {
		if texts[u.RID] = u.Text; u.Text == "" {
			unread = append(unread, u.RID)
		}
	}
	if err := d.readGroups(ctx, texts, unread); err != nil {
		return nil, fmt.Errorf("read groups of users: %w", err)
	}
	return d.groupsIn(ctx, texts)
}

func (d *Directory) readGroups(ctx context.Context, into map[int64]GroupsText, rids []any) error {
	if len(rids) == 0 {
		return nil
	}
	return d.DB.Lookup(ctx, func(row sqldb.Scanner) error {
		var u InGroups
		err := row.Scan(&u.RID, (*string)(&u.Text))
		into[u.RID] = u.Text
		return err
	}, groupsQuery(d.everyone.rid, len(rids)), rids...)
}

// groupsQuery asks for the groups of n users.
func groupsQuery(everyone int64, n int) string {
	return `SELECT r.rid, ` + groupsBeside(everyone) + ` FROM resources r WHERE r.rid IN (` + list(1, n) + `)`
}

// groupsIn completes what was read. Only groups that are in other groups cost a second
// look.
func (d *Directory) groupsIn(ctx context.Context, texts map[int64]GroupsText) (map[int64][]GroupRef, error) {
	direct := make(map[int64][]inGroup, len(texts))
	var nested []int64
	for rid, text := range texts {
		if text == "" {
			continue
		}
		groups, err := text.groups()
		if err != nil {
			return nil, err
		}
		direct[rid] = groups
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
