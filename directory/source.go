package directory

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
)

// OwnedError is a write to an attribute, or to a group, that an app with
// PROFILE_MASTERING owns.
type OwnedError struct {
	Attr string // of the profile, or the group with its name
	App  string // label of the app
}

// Error names the attribute and the app.
func (e *OwnedError) Error() string {
	return fmt.Sprintf("%s is mastered by the app %q", e.Attr, e.App)
}

// Unwrap makes the error an ErrOwned.
func (e *OwnedError) Unwrap() error { return ErrOwned }

// checkOwnedTx returns an *OwnedError when an app with PROFILE_MASTERING, other than
// the one that the change comes from, owns one of the attributes: its mapping fills it
// on every change, and the user has an account there.
func (d *Directory) checkOwnedTx(tx *sqldb.Tx, c Change, userID string, attrs []string) error {
	if len(attrs) == 0 {
		return nil
	}
	from := ""
	if c.Source.Kind == SourceImport {
		from = c.Source.ID
	}
	args := []any{userID, from}
	var owned OwnedError
	err := tx.QueryRow(`SELECT a.label, m.attr FROM app_users u
		JOIN apps a ON a.id = u.app_id
		JOIN mapping_uses m ON m.partner_id = a.id AND m.used = 'writes'
		WHERE u.user_id = $1 AND u.app_id <> $2 AND u.assigned AND u.external_id IS NOT NULL AND a.mastering AND a.status = 'ACTIVE'
			AND m.attr IN (`+strings.TrimPrefix(placeholders(&args, attrs), ", ")+`) ORDER BY a.id, m.attr LIMIT 1`, args...).Scan(&owned.App, &owned.Attr)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for owner of attributes: %w", err)
	}
	return &owned
}

// checkGroupOwnedTx returns an *OwnedError when somebody wants to change a group that
// came from an app with PROFILE_MASTERING: its name and members are decided there. What
// the directory does by itself, at a sign-in or by a rule, adds to them and is let pass.
func (d *Directory) checkGroupOwnedTx(tx *sqldb.Tx, c Change, g *Group) error {
	if g.Type != AppGroup || !slices.Contains([]string{SourceSCIM, SourceManage, SourceFile}, c.Source.Kind) {
		return nil
	}
	owned := OwnedError{Attr: fmt.Sprintf("group %q", g.Name())}
	err := tx.QueryRow(`SELECT a.label FROM app_group_links l JOIN apps a ON a.id = l.app_id
		WHERE l.group_id = $1 AND l.imported AND l.external_id IS NOT NULL AND a.mastering AND a.status = 'ACTIVE' ORDER BY a.id LIMIT 1`, g.ID).Scan(&owned.App)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for owner of group: %w", err)
	}
	return &owned
}

// anyAttr stands for every attribute that has a value and no row of its own: a new user
// has one row, not one for each attribute.
const anyAttr = "*"

// sourceRow is where the value of an attribute comes from.
func sourceRow(c Change, ev changed, attr string, now time.Time) []any {
	mapping, version := c.Source.Mapping, int64(0)
	if m, ok := c.Mappings[attr]; ok {
		mapping, version = m, c.MappingVersion
	}
	return []any{ev.RID, attr, c.Source.Kind, c.Source.ID, mapping, version, ev.Event, now.UnixMicro()}
}

const (
	insertSources  = `INSERT INTO attribute_sources (rid, attr, kind, source, mapping, mapping_version, event, time)`
	sourcesColumns = 8
)

// noteSources records where the new values of a user come from.
func (d *Directory) noteSources(tx *sqldb.Tx, c Change, ev changed) error {
	now, values := d.Now(), make([]any, 0, sourcesColumns*len(ev.Attrs))
	for _, attr := range ev.Attrs {
		values = append(values, sourceRow(c, ev, attr, now)...)
	}
	_, err := tx.InsertMany(insertSources, sourcesColumns, ` ON CONFLICT (rid, attr) DO UPDATE SET kind = excluded.kind, source = excluded.source,
		mapping = excluded.mapping, mapping_version = excluded.mapping_version, event = excluded.event, time = excluded.time`, values)
	if err != nil {
		return fmt.Errorf("note sources: %w", err)
	}
	return nil
}

// noteFirstSources records where the values of new users come from.
func (d *Directory) noteFirstSources(tx *sqldb.Tx, c Change, people []changed) error {
	now, values := d.Now(), make([]any, 0, sourcesColumns*len(people))
	for _, ev := range people {
		values = append(values, sourceRow(c, ev, anyAttr, now)...)
		for _, attr := range ev.Attrs {
			if _, ok := c.Mappings[attr]; ok {
				values = append(values, sourceRow(c, ev, attr, now)...)
			}
		}
	}
	if _, err := tx.InsertMany(insertSources, sourcesColumns, "", values); err != nil {
		return fmt.Errorf("note sources: %w", err)
	}
	return nil
}
