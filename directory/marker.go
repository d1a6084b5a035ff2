package directory

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// Kinds of things that change.
const (
	kindUser  = "user"
	kindGroup = "group"
)

// typeOf is the resource type of a kind.
var typeOf = map[string]string{kindUser: typeUser, kindGroup: typeGroup}

// Operations of a change.
const (
	opCreate  = "create"
	opUpdate  = "update"
	opDelete  = "delete"
	opStatus  = "status"
	opMembers = "members"
)

// changed tells what a change did, to whoever follows changes inside its transaction.
type changed struct {
	Kind    string // kindUser or kindGroup
	ID      string
	RID     int64
	Op      string
	Attrs   []string // profile names whose value is new
	Added   []string // opMembers: IDs of users that became members
	Removed []string // opMembers: IDs of users that are members no longer
	Version int64
	Event   string // ID of the event that tells of it
	Doc     []byte // the new document, of a change that replaces it as a whole
	Active  *bool  // of a user who is created or replaced
}

// resource is what the event of the change of a resource of a type says to those who
// follow resources.
func (ch changed) resource(typ string) *events.Resource {
	r := &events.Resource{Type: typ, ID: ch.ID, Op: events.Patch, Version: ch.Version, Doc: ch.Doc, Active: ch.Active}
	switch {
	case ch.Op == opCreate:
		r.Op = events.Create
	case ch.Op == opDelete:
		r.Op = events.Delete
	case ch.Doc != nil:
		r.Op = events.Put
	}
	return r
}

// MarkerChannel is the channel on which drains hear that a marker was committed.
const MarkerChannel = "markers"

// Lanes is how many drains one app may have at a time: more connections than these
// buy a directory server next to nothing. An object always falls into the same lane.
const Lanes = 4

// Lane is the lane of an object.
func Lane(objectID string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(objectID)) // never fails (hash.Hash)
	return int(h.Sum32() % Lanes)
}

// changedTx is called at the end of every change, in its transaction. It notes where
// the new values come from, keeps accounts through groups up to date, and leaves a
// marker for each assigned app whose mapping reads what has changed.
func (d *Directory) changedTx(tx *sqldb.Tx, c Change, ev changed) error {
	if ev.Kind == kindGroup {
		return d.groupChangedTx(tx, c, ev)
	}
	switch ev.Op {
	case opUpdate:
		if err := d.noteSources(tx, c, ev); err != nil {
			return err
		}
		if err := d.markUserTx(tx, c, ev); err != nil {
			return err
		}
		return d.followRules(tx, c, ev)
	case opStatus:
		if err := d.markWhere(tx, kindUser, ev.ID, `app_users u JOIN apps a ON a.id = u.app_id WHERE u.user_id = $1`, ev.ID); err != nil {
			return err
		}
		return d.markGroupsOf(tx, ev.ID)
	case opDelete:
		return d.userDeletedTx(tx, ev)
	}
	return nil
}

// createdTx is changedTx for users that are created, in one transaction.
func (d *Directory) createdTx(tx *sqldb.Tx, c Change, people []changed) error {
	if err := d.noteFirstSources(tx, c, people); err != nil {
		return err
	}
	if err := d.joinEveryonesApps(tx, c, people); err != nil {
		return err
	}
	rules, err := d.activeRules(tx.Query, nil, true)
	if err != nil || len(rules) == 0 {
		return err
	}
	who := make([]person, len(people))
	for i, ev := range people {
		who[i] = person{rid: ev.RID, id: ev.ID}
	}
	return d.settleTx(tx, c, rules, who)
}

// markUserTx marks a user for the apps that read one of the changed attributes, but
// for the app that the change comes from.
func (d *Directory) markUserTx(tx *sqldb.Tx, c Change, ev changed) error {
	if len(ev.Attrs) == 0 {
		return nil
	}
	if accounts, err := hasAccounts(tx.Query, ev.ID); !accounts || err != nil {
		return err
	}
	from := ""
	if c.Source.Kind == SourceImport {
		from = c.Source.ID
	}
	args := []any{ev.ID, from}
	where := `app_users u JOIN apps a ON a.id = u.app_id WHERE u.user_id = $1 AND u.app_id <> $2 AND EXISTS (
		SELECT 1 FROM mapping_uses m WHERE m.partner_id = u.app_id AND m.used = 'reads' AND m.attr IN ('*'` + placeholders(&args, ev.Attrs) + `))`
	return d.markWhere(tx, kindUser, ev.ID, where, args...)
}

// hasAccounts says whether any app knows a user: many people are in none, and this costs a
// fraction of asking what their apps read.
func hasAccounts(query reader, userID string) (bool, error) {
	some, err := column[string](query(`SELECT app_id FROM app_users WHERE user_id = $1 LIMIT 1`, userID))
	if err != nil {
		return false, fmt.Errorf("look for accounts: %w", err)
	}
	return len(some) > 0, nil
}

// placeholders appends values to args and returns ", $3, $4" for them.
func placeholders(args *[]any, values []string) string {
	var b strings.Builder
	for _, v := range values {
		*args = append(*args, v)
		fmt.Fprintf(&b, ", $%d", len(*args))
	}
	return b.String()
}

// MarkTx leaves a marker for one object of one app.
func (d *Directory) MarkTx(tx *sqldb.Tx, appID, kind, objectID string) error {
	return d.markWhere(tx, kind, objectID, `apps a WHERE a.id = $1`, appID)
}

// markWhere leaves a marker for one object, for every app a that a FROM clause gives,
// if it is on and anything flows to it.
func (d *Directory) markWhere(tx *sqldb.Tx, kind, objectID, from string, args ...any) error {
	n := len(args)
	args = append(args, kind, objectID, Lane(objectID), d.Now().UnixMicro())
	return d.insertMarkers(tx, fmt.Sprintf(`SELECT a.id, CAST($%d AS TEXT), CAST($%d AS TEXT), CAST($%d AS INTEGER), 1, 'PENDING', '%s' || substr(CAST($%d AS TEXT), 4),
		CAST($%d AS BIGINT), CAST($%d AS BIGINT) FROM %s AND a.status = 'ACTIVE' AND a.pushes`, n+1, n+2, n+3, id.Task, n+2, n+4, n+4, from), args...)
}

// insertMarkers leaves the markers that a SELECT gives. A marker that waits for its
// next try goes on waiting: the target asked for it. One that had failed for good is
// tried again.
func (d *Directory) insertMarkers(tx *sqldb.Tx, selected string, args ...any) error {
	res, err := tx.Exec(`INSERT INTO markers (app_id, kind, object_id, lane, generation, status, task_id, changed, next_try) `+selected+`
		ON CONFLICT (app_id, kind, object_id) DO UPDATE SET generation = markers.generation + 1, changed = excluded.changed,
			attempts = CASE WHEN markers.status = 'FAILED' THEN 0 ELSE markers.attempts END,
			next_try = CASE WHEN markers.status = 'RETRYING' THEN markers.next_try ELSE excluded.next_try END,
			status = CASE WHEN markers.status = 'FAILED' THEN 'PENDING' ELSE markers.status END`, args...)
	if err != nil {
		return fmt.Errorf("leave markers: %w", err)
	}
	if rows, err := res.RowsAffected(); err != nil || rows == 0 {
		return err
	}
	return d.DB.Notify(tx, MarkerChannel, "")
}

// markAppTx marks everything that an app has, after its features or mappings changed.
func (d *Directory) markAppTx(tx *sqldb.Tx, a *App) error {
	err := d.insertMarkers(tx, `SELECT u.app_id, 'user', u.user_id, u.lane, 1, 'PENDING', '`+id.Task+`' || substr(u.user_id, 4),
		CAST($2 AS BIGINT), CAST($2 AS BIGINT) FROM app_users u JOIN apps a ON a.id = u.app_id WHERE u.app_id = $1 AND a.status = 'ACTIVE' AND a.pushes`,
		a.ID, d.Now().UnixMicro())
	if err != nil {
		return err
	}
	groups, err := column[string](tx.Query(`SELECT group_id FROM app_groups WHERE app_id = $1 UNION SELECT group_id FROM app_group_links WHERE app_id = $1`, a.ID))
	if err != nil {
		return err
	}
	for _, groupID := range groups {
		if err := d.markGroupTx(tx, groupID); err != nil {
			return err
		}
	}
	return nil
}

// userDeletedTx leaves the accounts to the drains, which turn them off, and forgets
// the rest.
func (d *Directory) userDeletedTx(tx *sqldb.Tx, ev changed) error {
	if _, err := tx.Exec(`UPDATE app_users SET assigned = FALSE WHERE user_id = $1`, ev.ID); err != nil {
		return fmt.Errorf("unassign deleted user: %w", err)
	}
	if _, err := tx.Exec(`DELETE FROM attribute_sources WHERE rid = $1`, ev.RID); err != nil {
		return fmt.Errorf("forget sources of deleted user: %w", err)
	}
	return d.markWhere(tx, kindUser, ev.ID, `app_users u JOIN apps a ON a.id = u.app_id WHERE u.user_id = $1`, ev.ID)
}
