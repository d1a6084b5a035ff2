package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Names of the built-in groups.
const (
	Everyone       = "Everyone"
	Administrators = "Administrators"
)

// builtIn is a group that every organisation has.
type builtIn struct {
	id  string
	rid int64
}

// EveryoneID is the ID of the group that all users are members of.
func (d *Directory) EveryoneID() string { return d.everyone.id }

// AdministratorsID is the ID of the group whose members are administrators.
func (d *Directory) AdministratorsID() string { return d.admins.id }

// ensureBuiltIn finds the built-in groups or makes them. Two nodes that start at once
// make each of them once: the name is unique.
func (d *Directory) ensureBuiltIn(ctx context.Context) error {
	for name, b := range map[string]*builtIn{Everyone: &d.everyone, Administrators: &d.admins} {
		err := d.findBuiltIn(ctx, name, b)
		if errors.Is(err, ErrNotFound) {
			if err = d.makeBuiltIn(ctx, name); err == nil || errors.Is(err, ErrConflict) {
				err = d.findBuiltIn(ctx, name, b)
			}
		}
		if err != nil {
			return fmt.Errorf("group %s: %w", name, err)
		}
	}
	d.selectShown = selectShown(d.everyone.rid)
	return nil
}

func (d *Directory) findBuiltIn(ctx context.Context, name string, b *builtIn) error {
	err := d.DB.QueryRow(ctx, `SELECT id, rid FROM resources WHERE display_name = $1 AND type = 'Group' AND status = 'BUILT_IN'`,
		schemas.Fold(name)).Scan(&b.id, &b.rid)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

func (d *Directory) makeBuiltIn(ctx context.Context, name string) error {
	r, err := d.groupType().Parse([]byte(`{"displayName":"`+name+`"}`), schemas.Generic)
	if err != nil {
		return err
	}
	c := Change{Actor: events.System, Manage: true}
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := d.CreateGroupTx(tx, c, r, GroupOptions{Type: BuiltInGroup})
		return err
	})
}

// guardGroup refuses what may not be done to a built-in group: Everyone follows the
// users, Administrators changes its members with the manage scope only, and both keep
// their names.
func (d *Directory) guardGroup(c Change, g *Group, membersOnly bool) error {
	switch {
	case g.Type != BuiltInGroup:
		return nil
	case g.RID == d.admins.rid && membersOnly && c.Manage:
		return nil
	}
	return ErrProtected
}

// guardAdmin keeps whoever may not change Administrators from taking over or removing
// one of its members.
func (d *Directory) guardAdmin(tx *sqldb.Tx, c Change, u *User) error {
	if c.Manage || c.Source.Kind == SourceSelf || c.Source.Kind == SourceSignIn {
		return nil
	}
	var one int
	err := tx.QueryRow(`SELECT 1 FROM members WHERE group_rid = $1 AND member_rid = $2`, d.admins.rid, u.RID).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for administrator: %w", err)
	}
	return ErrProtected
}
