package directory

import (
	"bytes"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

func groupTarget(g *Group) []events.Target {
	return []events.Target{{ID: g.ID, Type: "UserGroup", Name: g.Name()}}
}

func memberValues(r *schemas.Resource) []string {
	ids := make([]string, 0, len(r.Members))
	for _, m := range r.Members {
		ids = append(ids, m.Value)
	}
	return ids
}

func (d *Directory) insertGroupRow(tx *sqldb.Tx, g *Group, r *schemas.Resource, members bool) error {
	if members {
		g.MembersChanged = g.Modified
	}
	err := tx.QueryRow(`INSERT INTO resources (id, type, version, status, active, created, modified, status_changed,
			members_changed, display_name)
		VALUES ($1, 'Group', 1, $2, TRUE, $3, $6, $3, $4, $5) RETURNING rid`,
		g.ID, string(g.Type), g.Created.UnixMicro(), nullTime(g.MembersChanged), null(r.Hot().DisplayName), g.Modified.UnixMicro()).Scan(&g.RID)
	if err != nil {
		return fmt.Errorf("insert group: %w", err)
	}
	return d.insertDocument(tx, g.RID, g.Doc, r, groupUnique(g.Type, r))
}

// groupUnique are the unique values of a group, its name among them.
func groupUnique(typ GroupType, r *schemas.Resource) []schemas.Entry {
	return append(r.Unique(), nameClaim(typ, r)...)
}

// nameClaim is the name of a group as a unique value. Those of apps share names.
func nameClaim(typ GroupType, r *schemas.Resource) []schemas.Entry {
	if typ == AppGroup {
		return nil
	}
	return []schemas.Entry{{Path: groupNamePath, Value: r.Hot().DisplayName}}
}

// storeGroup writes a changed group whose member rows are written already.
func (d *Directory) storeGroup(tx *sqldb.Tx, c Change, old *Group, was, next *schemas.Resource, moves moved) (*Group, error) {
	g := *old
	if next != nil {
		g.Doc = next.Doc()
		if c.Client != "" {
			g.ExternalID = next.ExternalID
		}
	}
	docChanged := !bytes.Equal(g.Doc, old.Doc)
	if !docChanged && moves.none() && g.ExternalID == old.ExternalID {
		return old, nil
	}
	now := d.now()
	g.Version, g.Modified = old.Version+1, now
	if !moves.none() {
		g.MembersChanged = now
	}
	if err := updateGroupRow(tx, &g, old, next, now); err != nil {
		return nil, err
	}
	if docChanged {
		if err := d.updateGroupDocument(tx, old, &g, was, next); err != nil {
			return nil, err
		}
	}
	if g.ExternalID != old.ExternalID {
		if err := setExternalID(tx, g.RID, c.Client, g.ExternalID); err != nil {
			return nil, err
		}
	}
	if docChanged || g.ExternalID != old.ExternalID {
		if err := d.tellGroup(tx, c, old, &g); err != nil {
			return nil, err
		}
	}
	return &g, d.tellMembers(tx, c, &g, moves)
}

func updateGroupRow(tx *sqldb.Tx, g, old *Group, next *schemas.Resource, now time.Time) error {
	if next == nil {
		return exactlyOne(tx.Exec(`UPDATE resources SET version = $3, modified = $4, members_changed = $5
			WHERE rid = $1 AND version = $2`, g.RID, old.Version, g.Version, now.UnixMicro(), nullTime(g.MembersChanged)))
	}
	return exactlyOne(tx.Exec(`UPDATE resources SET version = $3, modified = $4, members_changed = $5, display_name = $6
		WHERE rid = $1 AND version = $2`, g.RID, old.Version, g.Version, now.UnixMicro(), nullTime(g.MembersChanged),
		null(next.Hot().DisplayName)))
}

func (d *Directory) updateGroupDocument(tx *sqldb.Tx, old, g *Group, was, next *schemas.Resource) error {
	if err := d.replaceDocument(tx, g.RID, g.Doc, was, next); err != nil {
		return err
	}
	if err := claimFor(tx, next.Type, g.RID, nameClaim(g.Type, was), nameClaim(g.Type, next)); err != nil {
		return err
	}
	if g.Name() != old.Name() { // part of what a user's groups show
		if err := d.stampShown(tx, []target{{rid: g.RID, id: g.ID}}); err != nil {
			return err
		}
	}
	return nil
}

// tellGroup appends the event of a change of a group's own attributes.
func (d *Directory) tellGroup(tx *sqldb.Tx, c Change, old, g *Group) error {
	before, after, err := shownDifference(d.groupType(), old.Doc, g.Doc)
	if err != nil {
		return err
	}
	ev := events.Event{Type: "group.profile.update", Time: g.Modified, Targets: groupTarget(g), Before: before, After: after}
	if g.ExternalID != old.ExternalID {
		ev.Detail = externalIDDetail(c.Client, old.ExternalID, g.ExternalID)
	}
	ch := changed{Kind: kindGroup, ID: g.ID, RID: g.RID, Op: opUpdate, Version: g.Version}
	if c.put {
		if ch.Doc, err = d.groupType().Shown(g.Doc); err != nil {
			return err
		}
	}
	return d.tell(tx, c, ev, ch)
}
