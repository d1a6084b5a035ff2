package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// OwnedError is a write to an attribute, or to a group, that an app with
// PROFILE_MASTERING owns.
type OwnedError struct {
	Attr string // of the profile, or the group with its name
	App  string // label of the app; empty when it is only known that the writer is no source
}

// Error names the attribute and the app.
func (e *OwnedError) Error() string {
	if e.App == "" {
		return e.Attr + ": the app that wants to change it is none of its sources"
	}
	return fmt.Sprintf("%s is mastered by the app %q", e.Attr, e.App)
}

// Unwrap makes the error an ErrOwned.
func (e *OwnedError) Unwrap() error { return ErrOwned }

// checkOwnedTx returns an *OwnedError when another source than the one that a change comes
// from owns one of the attributes.
func (d *Directory) checkOwnedTx(tx *sqldb.Tx, c Change, t *schemas.Type, userID string, attrs []string) error {
	if len(attrs) == 0 {
		return nil
	}
	fillers, err := fillersOf(tx.Query, userID, attrs)
	if err != nil {
		return err
	}
	from := ""
	if c.Source.Kind == SourceImport {
		from = c.Source.ID
	}
	for _, attr := range attrs {
		if owned := fillers.refusal(t.ProfileMaster(attr), attr, from); owned != nil {
			return owned
		}
	}
	return nil
}

// Fillable returns those of the attributes of a user that an import from an app may change:
// no other source owns them.
func (d *Directory) Fillable(ctx context.Context, appID, userID string, attrs []string) ([]string, error) {
	if len(attrs) == 0 {
		return nil, nil
	}
	fillers, err := fillersOf(d.reader(ctx), userID, attrs)
	if err != nil {
		return nil, err
	}
	t := d.userType()
	return slices.DeleteFunc(slices.Clone(attrs), func(attr string) bool {
		return fillers.refusal(t.ProfileMaster(attr), attr, appID) != nil
	}), nil
}

// filler is an app with PROFILE_MASTERING in which a user has an account, and whose mapping
// fills an attribute on every change.
type filler struct{ app, label string }

// fillers are those of each attribute, the first profile source first.
type fillers map[string][]filler

func fillersOf(query reader, userID string, attrs []string) (fillers, error) {
	if accounts, err := hasAccounts(query, userID); !accounts || err != nil {
		return nil, err
	}
	args := []any{userID}
	all := fillers{}
	err := eachRow("look for owner of attributes", func(row scanner) error {
		var attr string
		var f filler
		err := row.Scan(&attr, &f.app, &f.label)
		all[attr] = append(all[attr], f)
		return err
	})(query(`SELECT m.attr, a.id, a.label FROM app_users u
		JOIN apps a ON a.id = u.app_id
		JOIN mapping_uses m ON m.partner_id = a.id AND m.used = 'writes'
		WHERE u.user_id = $1 AND u.assigned AND u.external_id IS NOT NULL AND a.mastering AND a.status = 'ACTIVE'
			AND m.attr IN (`+strings.TrimPrefix(placeholders(&args, attrs), ", ")+`) ORDER BY a.id, m.attr`, args...))
	return all, err
}

// refusal is why a change from an app, or from none, may not write an attribute.
func (f fillers) refusal(m schemas.Master, attr, from string) *OwnedError {
	source := m.Type == schemas.MasterProfile || slices.Contains(m.Priority, from)
	switch owner, ok := f.owner(m, attr); {
	case ok && owner.app != from:
		return &OwnedError{Attr: attr, App: owner.label}
	case from != "" && !source:
		return &OwnedError{Attr: attr}
	}
	return nil
}

// owner is the source that owns an attribute of the user.
func (f fillers) owner(m schemas.Master, attr string) (filler, bool) {
	all := f[attr]
	switch {
	case len(all) == 0 || m.Type == schemas.MasterLocal:
		return filler{}, false
	case m.Type != schemas.MasterOverride:
		return all[0], true
	}
	for _, id := range m.Priority {
		if i := slices.IndexFunc(all, func(x filler) bool { return x.app == id }); i >= 0 {
			return all[i], true
		}
	}
	return filler{}, false
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

// vouches reports whether a mail address that the change sets counts as the person's
// own. Who runs the directory, and what they import, is believed; a client, a provider
// or the person alone only when somebody says so.
func (c Change) vouches() bool {
	switch c.Source.Kind {
	case SourceManage, SourceImport, SourceFile, SourceRule, SourceSchema:
		return true
	}
	return c.VerifiesEmail && !c.Own
}

// sourceRow is where the value of an attribute comes from.
func sourceRow(c Change, ev changed, attr string, now time.Time) []any {
	mapping, version := c.Source.Mapping, int64(0)
	if m, ok := c.Mappings[attr]; ok {
		mapping, version = m, c.MappingVersion
	}
	return []any{ev.RID, attr, c.Source.Kind, c.Source.ID, mapping, version, ev.Event, now.UnixMicro(), c.vouches()}
}

const (
	insertSources  = `INSERT INTO attribute_sources (rid, attr, kind, source, mapping, mapping_version, event, time, vouched)`
	sourcesColumns = 9
)

// noteSources records where the new values of a user come from.
func (d *Directory) noteSources(tx *sqldb.Tx, c Change, ev changed) error {
	now, values := d.Now(), make([]any, 0, sourcesColumns*len(ev.Attrs))
	for _, attr := range ev.Attrs {
		values = append(values, sourceRow(c, ev, attr, now)...)
	}
	_, err := tx.InsertMany(insertSources, sourcesColumns, ` ON CONFLICT (rid, attr) DO UPDATE SET kind = excluded.kind, source = excluded.source,
		mapping = excluded.mapping, mapping_version = excluded.mapping_version, event = excluded.event, time = excluded.time,
		vouched = excluded.vouched`, values)
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

// Vouched reports whether the value of an attribute of a user's profile, such as email,
// was set by somebody who is known to know that it is the person's own.
func (d *Directory) Vouched(ctx context.Context, u *User, attr string) (vouched bool, err error) {
	err = d.DB.QueryRow(ctx, `SELECT vouched FROM attribute_sources WHERE rid = $1 AND attr IN ($2, $3) ORDER BY attr = $3 LIMIT 1`,
		u.RID, attr, anyAttr).Scan(&vouched)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("read source: %w", err)
	}
	return vouched, nil
}
