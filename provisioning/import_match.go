package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// planner decides what is done with one object after another. It remembers which
// logins and users the plan has taken, so that two accounts never become one person.
type planner struct {
	w      *work
	logins map[string]string // folded login -> external ID
	users  map[string]string // user ID -> external ID
}

func (w *work) newPlanner(ctx context.Context) (*planner, error) {
	p := &planner{w: w, logins: map[string]string{}, users: map[string]string{}}
	rows, err := w.e.db().Query(ctx, `SELECT external_id, user_id, login FROM import_objects
		WHERE run_id = $1 AND kind = 'user' AND action IN ('create', 'link')`, w.run.ID)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		var externalID, userID, login string
		if err := rows.Scan(&externalID, &userID, &login); err != nil {
			return nil, fmt.Errorf("read plan: %w", err)
		}
		p.take(externalID, userID, login)
	}
	return p, rows.Err()
}

func (p *planner) take(externalID, userID, login string) {
	if userID != "" {
		p.users[userID] = externalID
	}
	p.logins[schemas.FoldLogin(login)] = externalID
}

// plan classifies an object and maps it. An object that cannot be planned becomes an
// error of its own; only the database's and the context's end the run.
func (p *planner) plan(ctx context.Context, row *planned) error {
	row.state = statePlanned
	o, err := row.object()
	if err != nil {
		row.fail(err)
		return nil
	}
	if row.kind == TypeGroup {
		return p.planGroup(ctx, row, o)
	}
	linked, err := p.w.e.Dir.AppUserByExternalID(ctx, p.w.run.AppID, row.externalID)
	switch {
	case err == nil:
		return p.planLinked(ctx, row, o, linked)
	case !errors.Is(err, directory.ErrNotFound):
		return err
	case row.hash == hashDeleted:
		row.action, row.state, row.reason = actionIgnore, stateDone, "gone at the app, and unknown here"
		return nil
	}
	return p.planNew(ctx, row, o)
}

// planLinked plans for an account that somebody here has.
func (p *planner) planLinked(ctx context.Context, row *planned, o Object, linked *directory.AppUser) error {
	row.userID = linked.UserID
	u, err := p.w.e.Dir.User(ctx, linked.UserID)
	if errors.Is(err, directory.ErrNotFound) {
		row.action, row.state, row.reason = actionIgnore, stateDone, "the user was deleted here"
		return nil
	}
	if err != nil {
		return err
	}
	profile, err := p.w.e.Dir.Profile(u)
	if err != nil {
		return err
	}
	row.login, _ = profile["login"].(string)
	row.before = beforeHash(u, linked)
	if row.hash == hashDeleted {
		row.action, row.reason = actionDeactivate, "deleted at the app"
		return nil
	}
	if !o.Active && masters(p.w.t.app) && u.Status.Active() {
		row.action, row.reason = actionDeactivate, "turned off at the app"
		return nil
	}
	wanted, problems, err := p.w.inbound(ctx, o, profile, false)
	if err != nil {
		return err
	}
	row.reason = problems
	if row.delta, err = p.w.fillable(ctx, linked.UserID, difference(profile, wanted)); err != nil {
		return err
	}
	row.action = actionUnchanged
	switch {
	case len(row.delta) == 0:
	case masters(p.w.t.app):
		row.action = actionUpdate
	default:
		if err := p.planDrift(ctx, row, o, u); err != nil {
			return err
		}
	}
	if p.staysOff(row, o, u) && row.action == actionUnchanged {
		row.action = actionDrift
	}
	return nil
}

// planDrift plans for an account that differs from the profile. An account that is just
// as we push it is none: a name that our mapping puts together for the app, say.
func (p *planner) planDrift(ctx context.Context, row *planned, o Object, u *directory.User) error {
	row.action = actionDrift
	w := p.w
	if !w.t.app.Has(directory.PushProfileUpdates) {
		return nil
	}
	pushed, _, err := w.e.desired(ctx, w.t, u, false)
	if err != nil {
		return err
	}
	if err := w.e.addressRefs(ctx, w.t, w.t.users, pushed); err != nil {
		return err
	}
	if w.t.users.Diff(o.Attributes, pushed).Empty() {
		row.action, row.delta = actionUnchanged, nil
	}
	return nil
}

// staysOff tells of an account that is on at the app that masters a user who is not on
// here: an import stops people, and never lets anybody in again.
func (p *planner) staysOff(row *planned, o Object, u *directory.User) bool {
	if !o.Active || !masters(p.w.t.app) || u.Status.Active() {
		return false
	}
	row.reason = appendReason(row.reason, fmt.Sprintf("the user is %s here and stays so: activate the user to undo it", u.Status))
	return true
}

// planNew plans for an account that nobody here has: a link by the login, then by the
// e-mail address, or a new user.
func (p *planner) planNew(ctx context.Context, row *planned, o Object) error {
	wanted, problems, err := p.w.inbound(ctx, o, nil, true)
	if err != nil {
		return err
	}
	row.login, _ = wanted["login"].(string)
	row.reason = problems
	if row.login == "" {
		row.fail(errNoLogin)
		return nil
	}
	u, err := p.correlate(ctx, row.login, wanted["email"])
	if errors.Is(err, errAmbiguous) {
		row.fail(err)
		return nil
	}
	if err != nil {
		return err
	}
	if u != nil {
		return p.planLink(ctx, row, o, u)
	}
	if other, taken := p.logins[schemas.FoldLogin(row.login)]; taken && other != row.externalID {
		row.fail(fmt.Errorf("the account %s has the same login", other))
		return nil
	}
	row.delta = difference(nil, wanted)
	if !p.w.t.app.Has(directory.ImportNewUsers) {
		row.action, row.state, row.reason = actionIgnore, stateDone, "the app has no IMPORT_NEW_USERS"
		return nil
	}
	row.action = actionCreate
	p.take(row.externalID, "", row.login)
	return nil
}

// errAmbiguous is a correlation that several users match.
var errAmbiguous = errors.New("several users have this e-mail address: link one of them by hand")

// correlate finds the one user here whom a new account belongs to; nil for nobody.
func (p *planner) correlate(ctx context.Context, login string, email any) (*directory.User, error) {
	u, err := p.w.e.Dir.UserByLogin(ctx, login)
	if err == nil {
		profile, err := p.w.e.Dir.Profile(u)
		if err != nil {
			return nil, err
		}
		// A short name finds somebody too, and is no proof.
		if own, _ := profile["login"].(string); schemas.FoldLogin(own) == schemas.FoldLogin(login) {
			return u, nil
		}
	} else if !errors.Is(err, directory.ErrNotFound) {
		return nil, err
	}
	address, _ := email.(string)
	if address == "" {
		return nil, nil
	}
	return p.byEmail(ctx, address)
}

func (p *planner) byEmail(ctx context.Context, address string) (*directory.User, error) {
	typ, ok := p.w.e.Dir.Schemas().Type("User")
	if !ok {
		return nil, errors.New("the schema has no users")
	}
	quoted, err := json.Marshal(address)
	if err != nil {
		return nil, fmt.Errorf("quote address: %w", err)
	}
	filter, err := typ.ParseFilter("emails.value eq "+string(quoted), schemas.Generic)
	if err != nil {
		return nil, fmt.Errorf("look for address: %w", err)
	}
	found, err := p.w.e.Dir.List(ctx, "User", directory.ListQuery{Filter: filter, StartIndex: 1, Count: 2, NoTotal: true})
	switch {
	case err != nil:
		return nil, fmt.Errorf("look for address: %w", err)
	case len(found.Users) == 0:
		return nil, nil
	case len(found.Users) > 1:
		return nil, errAmbiguous
	}
	return found.Users[0], nil
}

// planLink plans to make a user here the owner of an account.
func (p *planner) planLink(ctx context.Context, row *planned, o Object, u *directory.User) error {
	row.userID = u.ID
	if other, taken := p.users[u.ID]; taken && other != row.externalID {
		row.fail(fmt.Errorf("the account %s belongs to the same user", other))
		return nil
	}
	linked, err := p.w.e.Dir.AppUser(ctx, p.w.run.AppID, u.ID)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	if linked != nil && linked.ExternalID != "" && linked.Status != directory.AppUserDeprovisioned {
		row.fail(fmt.Errorf("the user has the account %s at the app already", linked.ExternalID))
		return nil
	}
	profile, err := p.w.e.Dir.Profile(u)
	if err != nil {
		return err
	}
	wanted, problems, err := p.w.inbound(ctx, o, profile, false)
	if err != nil {
		return err
	}
	row.action, row.reason, row.before = actionLink, problems, beforeHash(u, linked)
	if row.delta, err = p.w.fillable(ctx, u.ID, difference(profile, wanted)); err != nil {
		return err
	}
	if len(row.delta) > 0 && !masters(p.w.t.app) {
		row.reason = strings.TrimPrefix(row.reason+"; the differences are left alone: the app is not the profile's master", "; ")
	}
	p.staysOff(row, o, u)
	p.take(row.externalID, u.ID, row.login)
	return nil
}

// inbound maps an object to our profile. Problems are told in one line.
func (w *work) inbound(ctx context.Context, o Object, existing map[string]any, create bool) (map[string]any, string, error) {
	account := w.t.users.Profile(o.Attributes)
	if err := w.e.resolveRefs(ctx, w.t, w.t.users, account); err != nil {
		return nil, "", err
	}
	wanted, problems := w.t.in.Apply(ctx, w.inboundVars(account), existing, create)
	told := make([]string, len(problems))
	for i, p := range problems {
		told[i] = p.String()
	}
	return wanted, strings.Join(told, "; "), ctx.Err()
}

func (w *work) inboundVars(account map[string]any) map[string]any {
	return map[string]any{"appuser": account, "idpuser": account, "app": directory.AppVars(w.t.app)}
}

// fillable leaves out of a difference what an app that masters profiles does not own of
// this one: attributes that are always ours, and those of a source before it. Where the
// app masters nothing, all of it is drift to be shown.
func (w *work) fillable(ctx context.Context, userID string, delta map[string]FromTo) (map[string]FromTo, error) {
	if !masters(w.t.app) {
		return delta, nil
	}
	names, err := w.e.Dir.Fillable(ctx, w.run.AppID, userID, slices.Sorted(maps.Keys(delta)))
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(delta, func(name string, _ FromTo) bool { return !slices.Contains(names, name) })
	return delta, nil
}

// difference is what must change so that a profile shows what is wanted. An attribute
// that is absent in what is wanted is left alone.
func difference(have, want map[string]any) map[string]FromTo {
	delta := map[string]FromTo{}
	for name, to := range want {
		if from := have[name]; !sameValue(from, to) {
			delta[name] = FromTo{From: from, To: to}
		}
	}
	return delta
}

// sameValue compares values of profiles, whose numbers may have been through JSON and
// whose lists may be of strings.
func sameValue(a, b any) bool {
	return reflect.DeepEqual(plain(a), plain(b))
}

func plain(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case int:
		return float64(v)
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case []any:
		out := slices.Clone(v)
		for i := range out {
			out[i] = plain(out[i])
		}
		return out
	}
	return v
}

// beforeHash names the state of a user and its account that a plan is made from.
func beforeHash(u *directory.User, linked *directory.AppUser) string {
	if linked == nil {
		return fmt.Sprintf("%d", u.Version)
	}
	return fmt.Sprintf("%d/%s/%s/%s", u.Version, linked.ExternalID, linked.Status, linked.Hash)
}
