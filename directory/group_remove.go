package directory

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// A group is deleted in one transaction, and its members are taken out of it in
// batches: what a transaction does is bounded however many they are. Between the two
// the row stays, as of no type that anybody asks for, and shows nothing but when the
// group went; that tells the readers of its members that their groups have changed.

const (
	typeRemoved   = "RemovedGroup"
	statusRemoved = "REMOVED"
)

// DeleteGroup removes a group; its members stay.
func (d *Directory) DeleteGroup(ctx context.Context, c Change, id string, v IfMatch) error {
	return d.DB.Write(ctx, func(tx *sqldb.Tx) error { return d.DeleteGroupTx(tx, c, id, v) })
}

// DeleteGroupTx is DeleteGroup inside a transaction.
func (d *Directory) DeleteGroupTx(tx *sqldb.Tx, c Change, id string, v IfMatch) error {
	if c.Bounds.groups() != nil {
		if err := c.Bounds.checkGroup(id); err != nil {
			return err
		}
		return &BoundsError{Reason: "the caller may not delete a group that it is confined to"}
	}
	if err := c.Bounds.checkDelete(); err != nil {
		return err
	}
	parents, err := lockWithParents(tx, id)
	if err != nil {
		return err
	}
	g, err := d.lockGroupTx(tx, id, "")
	if err != nil {
		return err
	}
	if !v.accepts(g.Version) {
		return ErrVersion
	}
	if g.Type == BuiltInGroup {
		return ErrProtected
	}
	if err := d.checkGroupOwnedTx(tx, c, g); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := d.leaveGroup(tx, c, parent, target{rid: g.RID, id: g.ID}); err != nil {
			return err
		}
	}
	if err := d.forgetGroupTx(tx, c, g); err != nil {
		return err
	}
	apps, err := column[string](tx.Query(`SELECT app_id FROM app_groups WHERE group_id = $1
		UNION SELECT app_id FROM app_group_walks WHERE group_id = $1 ORDER BY app_id`, g.ID))
	if err != nil {
		return err
	}
	shown, err := d.groupType().Shown(g.Doc)
	if err != nil {
		return err
	}
	ev := events.Event{Type: "group.lifecycle.delete", Targets: groupTarget(g), Before: shown}
	ch := changed{Kind: kindGroup, ID: g.ID, RID: g.RID, Op: opDelete, Version: g.Version + 1}
	if err := d.tell(tx, c, ev, ch); err != nil {
		return err
	}
	if err := d.hide(tx, g); err != nil {
		return err
	}
	return d.beginRemoval(tx, c, g, apps)
}

// lockWithParents locks a group and those it is in, and returns their IDs. Nobody can
// put it into another one until the transaction ends.
func lockWithParents(tx *sqldb.Tx, groupID string) ([]string, error) {
	if err := holdNesting(tx); err != nil {
		return nil, err
	}
	parents, err := column[string](tx.Query(`SELECT p.id FROM resources g JOIN nested_groups n ON n.member_rid = g.rid
		JOIN resources p ON p.rid = n.group_rid WHERE g.id = $1 AND p.type = 'Group' ORDER BY p.rid`, groupID))
	if err != nil || len(parents) == 0 || tx.ForUpdate() == "" {
		return parents, err
	}
	return parents, lockByID(tx, append([]string{groupID}, parents...))
}

// leaveGroup takes a group that is deleted out of one that it is in. It is no change
// that anybody asked of the other one: no owner has a word in it.
func (d *Directory) leaveGroup(tx *sqldb.Tx, c Change, parentID string, t target) error {
	parent, err := d.lockGroupTx(tx, parentID, "")
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM nested_groups WHERE group_rid = $1 AND member_rid = $2`, parent.RID, t.rid)
	if err != nil {
		return fmt.Errorf("leave group: %w", err)
	}
	c.Client = ""
	_, err = d.storeGroup(tx, c, parent, nil, nil, moved{groupsOut: []target{t}})
	return err
}

// hide takes everything from a group but its row and its members.
func (d *Directory) hide(tx *sqldb.Tx, g *Group) error {
	r, err := d.storedGroup(g)
	if err != nil {
		return err
	}
	if err := d.deleteBelongings(tx, g.RID, r, groupUnique(g.Type, r)); err != nil {
		return err
	}
	return exactlyOne(tx.Exec(`UPDATE resources SET type = $3, status = $4, active = FALSE, display_name = NULL, version = version + 1, shown_changed = $5
		WHERE rid = $1 AND version = $2`, g.RID, g.Version, typeRemoved, statusRemoved, d.now().UnixMicro()))
}

// beginRemoval takes the first batch of members out, which of most groups are all.
func (d *Directory) beginRemoval(tx *sqldb.Tx, c Change, g *Group, apps []string) error {
	why, err := causeOf(c)
	if err != nil {
		return err
	}
	list, err := json.Marshal(apps)
	if err != nil {
		return fmt.Errorf("encode apps: %w", err)
	}
	_, err = tx.Exec(`INSERT INTO removed_groups (group_rid, apps, cause) VALUES ($1, $2, $3)`, g.RID, string(list), why)
	if err != nil {
		return fmt.Errorf("begin removal: %w", err)
	}
	over, err := d.removeBatch(tx, g.RID)
	if err != nil || over {
		return err
	}
	return d.DB.Notify(tx, removalWork, "")
}
