package directory

import (
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// joinAppTx assigns users to an app through a group, many with one statement. Those who
// are assigned already stay as they are.
func (d *Directory) joinAppTx(tx *sqldb.Tx, c Change, a *App, userIDs []string) error {
	now := d.Now().UnixMicro()
	fresh := newAppUser(a, "", ScopeGroup)
	var joined []string
	for part := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(userIDs))), lookUpMax) {
		values := make([]any, 0, 10*len(part))
		for _, userID := range part {
			values = append(values, a.ID, userID, Lane(userID), fresh.Status, fresh.SyncState, fresh.Scope, true, now, now, now)
		}
		// An account that was made before is turned on again by the drain.
		some, err := column[string](tx.Query(`INSERT INTO app_users (app_id, user_id, lane, status, sync_state, scope, assigned, status_changed, created, modified)`+
			sqldb.ValueRows(len(part), 10)+` ON CONFLICT (app_id, user_id) DO UPDATE SET assigned = TRUE, scope = excluded.scope,
				status = CASE WHEN app_users.external_id IS NULL THEN excluded.status ELSE 'DEPROVISIONED' END,
				sync_state = CASE WHEN app_users.external_id IS NULL THEN excluded.sync_state ELSE 'OUT_OF_SYNC' END,
				status_changed = excluded.status_changed, modified = excluded.modified
			WHERE NOT app_users.assigned RETURNING user_id`, values...))
		if err != nil {
			return fmt.Errorf("assign members: %w", err)
		}
		joined = append(joined, some...)
	}
	return d.tellAssignments(tx, c, "application.user_membership.add", a.ID, joined)
}

// leaveAppTx takes back what a group alone had assigned.
func (d *Directory) leaveAppTx(tx *sqldb.Tx, c Change, appID string, userIDs []string) error {
	now := d.Now().UnixMicro()
	var left []string
	for part := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(userIDs))), lookUpMax) {
		some, err := column[string](tx.Query(`UPDATE app_users SET assigned = FALSE, status_changed = $2, modified = $2,
				status = CASE WHEN status = 'DEPROVISIONED' THEN status ELSE 'UNASSIGNED' END
			WHERE app_id = $1 AND assigned AND scope = 'GROUP' AND user_id IN (`+list(3, len(part))+`) AND NOT EXISTS (
				SELECT 1 FROM resources r JOIN members m ON m.member_rid = r.rid JOIN resources g ON g.rid = m.group_rid
				JOIN app_groups a ON a.group_id = g.id AND a.app_id = app_users.app_id WHERE r.id = app_users.user_id)
			RETURNING user_id`, append([]any{appID, now}, anys(part)...)...))
		if err != nil {
			return fmt.Errorf("unassign members: %w", err)
		}
		left = append(left, some...)
	}
	return d.tellAssignments(tx, c, "application.user_membership.remove", appID, left)
}

// tellAssignments leaves the markers of assignments through a group that came or went,
// and tells of them: one by one, or of many in few events that name the app first.
func (d *Directory) tellAssignments(tx *sqldb.Tx, c Change, typ, appID string, userIDs []string) error {
	size := 1
	if len(userIDs) > eventsEach {
		size = eventsEach
	}
	slices.Sort(userIDs)
	for part := range slices.Chunk(userIDs, size) {
		if err := d.markUsers(tx, appID, part); err != nil {
			return err
		}
		targets := make([]events.Target, 0, len(part)+1)
		for _, userID := range part {
			targets = append(targets, events.Target{ID: userID, Type: typeUser})
		}
		targets = append(targets, events.Target{ID: appID, Type: "AppInstance"})
		if size > 1 {
			slices.Reverse(targets)
		}
		_, err := d.audit(tx, c, events.Event{Type: typ, Targets: targets, Detail: map[string]any{"scope": ScopeGroup}})
		if err != nil {
			return err
		}
	}
	return nil
}

// markUsers leaves a marker for each of some users of an app.
func (d *Directory) markUsers(tx *sqldb.Tx, appID string, userIDs []string) error {
	return d.insertMarkers(tx, `SELECT u.app_id, 'user', u.user_id, u.lane, 1, 'PENDING', '`+id.Task+`' || substr(u.user_id, 4), CAST($2 AS BIGINT), CAST($2 AS BIGINT)
		FROM app_users u JOIN apps a ON a.id = u.app_id
		WHERE u.app_id = $1 AND a.status = 'ACTIVE' AND a.pushes AND u.user_id IN (`+list(3, len(userIDs))+`)`,
		append([]any{appID, d.Now().UnixMicro()}, anys(userIDs)...)...)
}
