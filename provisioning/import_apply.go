package provisioning

import (
	"context"
	"errors"
	"fmt"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// apply does what the plan says: people, then groups; who and what is gone comes last.
// Each object is one transaction with its row of the plan, so that a run that was cut
// goes on with what is left and does nothing twice.
func (w *work) apply(ctx context.Context) error {
	steps := []struct {
		where string
		one   func(context.Context, *planned) error
	}{
		{`kind = 'user' AND state = 'planned' AND action <> 'deactivate'`, w.applyUser},
		{`kind = 'user' AND state = 'refs'`, w.applyRefs},
		{`kind = 'group' AND state = 'planned' AND action <> 'deactivate'`, w.applyGroup},
		{`kind = 'group' AND state = 'planned' AND action = 'deactivate'`, w.removeGroup},
		{`kind = 'user' AND state = 'planned' AND action = 'deactivate'`, w.deactivate},
	}
	for _, s := range steps {
		if err := w.each(ctx, s.where, s.one); err != nil {
			return err
		}
	}
	return nil
}

// each applies one step to every row that is left for it. An object that fails becomes
// an error of its own; what is wrong with the run itself ends it.
func (w *work) each(ctx context.Context, where string, one func(context.Context, *planned) error) error {
	for {
		rows, err := w.rows(ctx, where)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			err := one(ctx, row)
			if err == nil {
				continue
			}
			if ctx.Err() != nil || errors.Is(err, lease.ErrLost) || errors.Is(err, errCancelled) || !isObjectError(err) {
				return err
			}
			row.fail(err)
			if err := w.write(ctx, func(tx *sqldb.Tx) error { return storePlanned(tx, w.run.ID, []*planned{row}) }); err != nil {
				return err
			}
		}
	}
}

// isObjectError tells what is wrong with one object from what is wrong with the
// database: a run is not worth going on when nothing can be stored.
func isObjectError(err error) bool {
	var invalid *schemas.Error
	if errors.As(err, &invalid) {
		return true
	}
	for _, of := range []error{
		directory.ErrConflict, directory.ErrOwned, directory.ErrProtected, directory.ErrNotFound, directory.ErrTransition,
		directory.ErrVersion, errChangedSince, errBuiltInName,
	} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}

// errChangedSince is an object that is no longer what the plan was made from. The next
// import sees it as it is.
var errChangedSince = errors.New("changed since the plan was made")

// errNewer is an object that was synchronised after the run began: what was read may be
// older than what is known. It is left alone; the next import reads it again.
var errNewer = errors.New("synchronised since the import began")

func (w *work) leave(tx *sqldb.Tx, row *planned) error {
	row.action, row.state, row.reason = actionUnchanged, stateDone, errNewer.Error()
	return storePlanned(tx, w.run.ID, []*planned{row})
}

// applyUser creates, links or updates one user, and stores the account as it was read.
func (w *work) applyUser(ctx context.Context, row *planned) error {
	o, err := row.object()
	if err != nil {
		return err
	}
	account := w.t.users.Profile(o.Attributes)
	if err := w.e.resolveRefs(ctx, w.t, w.t.users, account); err != nil {
		return err
	}
	next := stateDone
	if refers(w.t.users, o, w.t.in) && (row.action == actionCreate || masters(w.t.app)) {
		next = stateRefs // whoever it refers to may not have been here when the plan was made
	}
	return w.write(ctx, func(tx *sqldb.Tx) error {
		// The row is looked at again inside: the closure may run twice.
		r := *row
		linked, err := w.changeUser(tx, &r)
		if errors.Is(err, errNewer) {
			return w.leave(tx, &r)
		}
		if err != nil {
			return err
		}
		if err := w.storeAccount(ctx, tx, &r, o, account, linked); err != nil {
			return err
		}
		r.state = next
		return storePlanned(tx, w.run.ID, []*planned{&r})
	})
}

// changeUser does to the user what the row says and returns the account that it had,
// nil for none.
func (w *work) changeUser(tx *sqldb.Tx, row *planned) (*directory.AppUser, error) {
	if row.action == actionCreate {
		u, err := w.createUser(tx, row)
		if err != nil {
			return nil, err
		}
		row.userID = u.ID
		return nil, nil
	}
	u, linked, err := w.lockUser(tx, row.userID)
	if err != nil {
		return nil, err
	}
	if linked != nil && linked.LastSync.After(w.run.Created) {
		return nil, errNewer
	}
	if beforeHash(u, linked) != row.before {
		return nil, errChangedSince
	}
	update := row.action == actionUpdate || row.action == actionLink && masters(w.t.app)
	if !update || len(row.delta) == 0 {
		return linked, nil
	}
	profile := map[string]any{}
	for name, change := range row.delta {
		profile[name] = change.To
	}
	_, err = w.e.Dir.UpdateProfileTx(tx, w.change(), u.ID, profile)
	return linked, err
}

// lockUser reads a user and its account, if it has one.
func (w *work) lockUser(tx *sqldb.Tx, userID string) (*directory.User, *directory.AppUser, error) {
	u, err := w.e.Dir.UserTx(tx, userID)
	if err != nil {
		return nil, nil, err
	}
	linked, err := w.e.Dir.AppUserTx(tx, w.run.AppID, userID)
	if errors.Is(err, directory.ErrNotFound) {
		return u, nil, nil
	}
	return u, linked, err
}

// createUser makes the user whom the row describes. A value that the schema refuses is
// left out and told; a login that it refuses is the object's error.
func (w *work) createUser(tx *sqldb.Tx, row *planned) (*directory.User, error) {
	typ, ok := w.e.Dir.Schemas().Type("User")
	if !ok {
		return nil, errors.New("the schema has no users")
	}
	profile := map[string]any{}
	for name, change := range row.delta {
		profile[name] = change.To
	}
	r, err := typ.FromProfile(profile)
	for refused := 0; err != nil && refused < len(row.delta); refused++ {
		name := refusedName(typ, profile, err)
		if name == "" || name == "login" {
			return nil, err
		}
		row.reason = appendReason(row.reason, fmt.Sprintf("%s: %v", name, err))
		delete(profile, name)
		delete(row.delta, name)
		r, err = typ.FromProfile(profile)
	}
	if err != nil {
		return nil, err
	}
	status := directory.Active
	if o, err := row.object(); err == nil && !o.Active {
		status = directory.Staged
	}
	return w.e.Dir.CreateUserTx(tx, w.change(), r, directory.CreateOptions{Status: status})
}

// refusedName finds which attribute of a profile the schema refuses, by trying the
// attributes one by one beside the login.
func refusedName(typ *schemas.Type, profile map[string]any, _ error) string {
	for name, v := range profile {
		alone := map[string]any{"login": profile["login"], name: v}
		if _, err := typ.FromProfile(alone); err != nil {
			return name
		}
	}
	return ""
}

func appendReason(reason, more string) string {
	if reason == "" {
		return more
	}
	return reason + "; " + more
}

// storeAccount writes the account as it was read, linked to the user, together with
// what our mapping would want of it: what differs from then on is a change of ours.
func (w *work) storeAccount(ctx context.Context, tx *sqldb.Tx, row *planned, o Object, account map[string]any, a *directory.AppUser) error {
	u, err := w.e.Dir.UserTx(tx, row.userID)
	if err != nil {
		return err
	}
	fresh := a == nil
	if fresh {
		a = &directory.AppUser{AppID: w.run.AppID, UserID: row.userID}
	}
	if !a.Assigned {
		a.Assigned, a.Scope = true, directory.ScopeImport
	}
	a.ExternalID, a.RemoteName, a.RemoteVersion, a.RemoteActive = o.ID, o.Name, o.Version, o.Active
	a.Profile, a.Shadow, a.Hash, a.LastSync, a.Creating = account, o.Attributes, row.hash, w.e.Now(), false
	if row.action == actionDrift {
		a.Hash = "" // it is looked at again, and told, by every full import until it is settled
	}
	a.Status = directory.AppUserActive
	if !o.Active {
		a.Status = directory.AppUserSuspended
	}
	a.StatusChanged = w.e.Now()
	// An account that waits to be pushed keeps what was applied before.
	if fresh || a.Applied == nil || row.action == actionCreate || row.action == actionLink || row.action == actionUpdate {
		if a.Applied, _, err = w.e.desired(ctx, w.t, u, false); err != nil {
			return err
		}
		a.SyncState = importedState(w.t.app)
	}
	return w.e.Dir.SaveAppUserTx(tx, a)
}

// importedState says whether anything is kept in step with an account that came by
// import.
func importedState(app *directory.App) string {
	if masters(app) || app.Has(directory.PushProfileUpdates) {
		return directory.SyncSynchronized
	}
	return directory.SyncDisabled
}

// applyRefs maps an object again, now that everybody is here whom it may refer to.
func (w *work) applyRefs(ctx context.Context, row *planned) error {
	o, err := row.object()
	if err != nil {
		return err
	}
	u, err := w.e.Dir.User(ctx, row.userID)
	if err != nil {
		return err
	}
	profile, err := w.e.Dir.Profile(u)
	if err != nil {
		return err
	}
	wanted, _, err := w.inbound(ctx, o, profile, false)
	if err != nil {
		return err
	}
	changes, err := w.fillable(ctx, row.userID, difference(profile, wanted))
	if err != nil {
		return err
	}
	delta := map[string]any{}
	for name, change := range changes {
		if w.t.in.readsRef(name, w.t.users) {
			delta[name] = change.To
		}
	}
	return w.write(ctx, func(tx *sqldb.Tx) error {
		r := *row
		if len(delta) > 0 {
			if err := w.applyRefsTx(ctx, tx, &r, delta); err != nil {
				return err
			}
		}
		r.state = stateDone
		return storePlanned(tx, w.run.ID, []*planned{&r})
	})
}

func (w *work) applyRefsTx(ctx context.Context, tx *sqldb.Tx, row *planned, delta map[string]any) error {
	u, err := w.e.Dir.UpdateProfileTx(tx, w.change(), row.userID, delta)
	if err != nil {
		return err
	}
	a, err := w.e.Dir.AppUserTx(tx, w.run.AppID, row.userID)
	if err != nil {
		return err
	}
	if a.Applied, _, err = w.e.desired(ctx, w.t, u, false); err != nil {
		return err
	}
	return w.e.Dir.SaveAppUserTx(tx, a)
}

// readsRef reports whether the mapping of one target attribute reads a reference.
func (m *compiledMapping) readsRef(target string, typ ObjectType) bool {
	for _, a := range references(typ) {
		for _, in := range m.source.Properties[target].Inputs {
			if in == "appuser."+a.Name || in == "idpuser."+a.Name {
				return true
			}
		}
	}
	return false
}

// deactivate takes an account off that is gone or turned off at the app. The user
// stops too where the app masters it; otherwise only the account is.
func (w *work) deactivate(ctx context.Context, row *planned) error {
	return w.write(ctx, func(tx *sqldb.Tx) error {
		r := *row
		r.state = stateDone
		a, err := w.e.Dir.AppUserTx(tx, w.run.AppID, row.userID)
		switch {
		case errors.Is(err, directory.ErrNotFound):
			return storePlanned(tx, w.run.ID, []*planned{&r})
		case err != nil:
			return err
		case a.ExternalID != row.externalID || a.LastSync.After(w.run.Created):
			return w.leave(tx, &r)
		}
		if err := w.stopUser(tx, row.userID); err != nil {
			return err
		}
		a.Status, a.SyncState, a.RemoteActive = directory.AppUserDeprovisioned, directory.SyncDisabled, false
		a.StatusChanged, a.LastSync, a.Hash = w.e.Now(), w.e.Now(), ""
		if a.Scope == directory.ScopeImport {
			a.Assigned = false
		}
		if err := w.e.Dir.SaveAppUserTx(tx, a); err != nil {
			return err
		}
		return storePlanned(tx, w.run.ID, []*planned{&r})
	})
}

// stopUser deactivates a user whom the app masters.
func (w *work) stopUser(tx *sqldb.Tx, userID string) error {
	if !masters(w.t.app) {
		return nil
	}
	u, err := w.e.Dir.UserTx(tx, userID)
	if errors.Is(err, directory.ErrNotFound) || err == nil && u.Status == directory.Deprovisioned {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = w.e.Dir.SetStatusTx(tx, w.change(), userID, directory.Deactivate)
	return err
}
