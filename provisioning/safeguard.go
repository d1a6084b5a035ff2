package provisioning

import (
	"context"
	"fmt"
	"strings"

	"github.com/provost-id/provost/directory"
)

// Safeguards stop a run before it does what looks like an accident. Each run that they
// stop waits for a person.
type Safeguards struct {
	// Share of the accounts and groups of an app that may go in one run: 0.2 is 20 %.
	Share float64
	// Most is how many may go in one run whatever the share; 0 is no bound.
	Most int
}

// DefaultSafeguards hold for every app.
var DefaultSafeguards = Safeguards{Share: 0.2, Most: 500}

// plan is what the safeguards look at.
type planFacts struct {
	read      int // users that the source told
	linked    int // accounts and groups that are known from it
	gone      int // of these, how many would be deactivated
	admins    []string
	logins    []string
	emptyRead bool
}

// stop returns why a plan must wait for a person, "" when it need not.
func (s Safeguards) stop(p planFacts) string {
	var why []string
	if p.emptyRead && p.linked > 0 {
		why = append(why, fmt.Sprintf("the source is empty, but %d accounts are known from it", p.linked))
	}
	if p.linked > 0 && float64(p.gone) > s.Share*float64(p.linked) {
		why = append(why, fmt.Sprintf("%d of %d accounts and groups would be deactivated, more than %.0f %%", p.gone, p.linked, s.Share*100))
	} else if s.Most > 0 && p.gone > s.Most {
		why = append(why, fmt.Sprintf("%d accounts and groups would be deactivated, more than %d", p.gone, s.Most))
	}
	if len(p.admins) > 0 {
		why = append(why, "administrators would be changed: "+someOf(p.admins))
	}
	if len(p.logins) > 0 {
		why = append(why, "logins would be changed: "+someOf(p.logins))
	}
	return strings.Join(why, "; ")
}

// someOf names the first few.
func someOf(names []string) string {
	const few = 5
	if len(names) > few {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
	}
	return strings.Join(names, ", ")
}

// facts collects from the rows of a plan what the safeguards look at.
func (e *Engine) facts(ctx context.Context, r *ImportRun, masters bool) (planFacts, error) {
	var p planFacts
	for _, q := range []struct {
		into  *int
		query string
		args  []any
	}{
		{&p.read, `SELECT COUNT(*) FROM import_objects WHERE run_id = $1 AND kind = 'user' AND action <> 'deactivate'`, []any{r.ID}},
		{&p.gone, `SELECT COUNT(*) FROM import_objects WHERE run_id = $1 AND action = 'deactivate' AND state = 'planned'`, []any{r.ID}},
		{&p.linked, `SELECT (SELECT COUNT(*) FROM app_users WHERE app_id = $1 AND external_id IS NOT NULL AND status <> 'DEPROVISIONED')
			+ (SELECT COUNT(*) FROM app_group_links WHERE app_id = $1 AND external_id IS NOT NULL)`, []any{r.AppID}},
	} {
		if err := e.db().QueryRow(ctx, q.query, q.args...).Scan(q.into); err != nil {
			return p, fmt.Errorf("count the plan of %s: %w", r.ID, err)
		}
	}
	p.emptyRead = p.read == 0 && r.Type == TypeFull
	if !masters {
		return p, nil // people keep what they have: only accounts come and go
	}
	var err error
	p.admins, err = e.logins(ctx, `SELECT o.login FROM import_objects o
		JOIN resources u ON u.id = o.user_id JOIN members m ON m.member_rid = u.rid JOIN resources g ON g.rid = m.group_rid
		WHERE o.run_id = $1 AND o.kind = 'user' AND o.state = 'planned' AND o.action IN ('link', 'update', 'deactivate') AND g.id = $2
		ORDER BY o.login LIMIT 100`, r.ID, e.Dir.AdministratorsID())
	if err != nil {
		return p, err
	}
	p.logins, err = e.logins(ctx, `SELECT login FROM import_objects WHERE run_id = $1 AND kind = 'user' AND state = 'planned' AND action = 'update'
		AND delta LIKE '%"login":%' ORDER BY login LIMIT 100`, r.ID)
	return p, err
}

func (e *Engine) logins(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := e.db().Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("look through the plan: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []string
	for rows.Next() {
		var login string
		if err := rows.Scan(&login); err != nil {
			return nil, fmt.Errorf("look through the plan: %w", err)
		}
		all = append(all, login)
	}
	return all, rows.Err()
}

// masters reports whether an app decides about profiles and lives.
func masters(a *directory.App) bool { return a.Has(directory.ProfileMastering) }
