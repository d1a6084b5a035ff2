package provisioning

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/mapping"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// user brings one person's account in step: makes it, changes it, turns it off or on.
func (x *export) user(ctx context.Context) error {
	a, err := x.e.Dir.AppUser(ctx, x.m.appID, x.m.objectID)
	if errors.Is(err, directory.ErrNotFound) {
		return x.done(ctx, nil)
	}
	if err != nil {
		return err
	}
	u, err := x.e.Dir.User(ctx, x.m.objectID)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	if a.Creating && a.ExternalID == "" {
		if err := x.resolve(ctx, u, a); err != nil {
			return err
		}
	}
	switch {
	case u == nil || !a.Assigned || !u.Status.Active():
		return x.off(ctx, u, a)
	case a.ExternalID == "" && x.t.app.Has(directory.PushNewUsers):
		return x.create(ctx, u, a)
	case a.ExternalID == "":
		return x.done(ctx, nil)
	}
	return x.update(ctx, u, a)
}

// done removes the marker, after storing the account when it is given.
func (x *export) done(ctx context.Context, a *directory.AppUser) error {
	return x.write(ctx, func(tx *sqldb.Tx) error { return x.doneTx(tx, a) })
}

func (x *export) doneTx(tx *sqldb.Tx, a *directory.AppUser) error {
	if a != nil {
		if err := x.saveTx(tx, a); err != nil {
			return err
		}
	}
	if err := x.tellProblemsTx(tx); err != nil {
		return err
	}
	return x.finishTx(tx, x.m)
}

// tellProblemsTx puts properties that could not be evaluated into the system log: their
// attributes keep what they have at the app.
func (x *export) tellProblemsTx(tx *sqldb.Tx) error {
	if len(x.problems) == 0 {
		return nil
	}
	told := map[string]any{}
	for _, p := range x.problems {
		told[p.Attribute] = p.Reason
	}
	return events.Append(tx, events.Event{
		Type: "application.provision.mapping.error", Actor: events.System, Targets: x.m.targets(), Outcome: events.Failure,
		Reason: "properties of the mapping could not be evaluated and were left unchanged", Detail: told,
	})
}

// saveTx stores what the drain has found out about an account, and leaves what others
// decide: whether it is assigned, and through what.
func (x *export) saveTx(tx *sqldb.Tx, a *directory.AppUser) error {
	now, err := x.e.Dir.AppUserTx(tx, a.AppID, a.UserID)
	if err != nil {
		return err
	}
	kept := *a
	kept.Assigned, kept.Scope = now.Assigned, now.Scope
	return x.e.Dir.SaveAppUserTx(tx, &kept)
}

// desired is what our mapping wants an account to be, references by our user IDs. A
// property that could not be evaluated is absent, and told.
func (e *Engine) desired(ctx context.Context, t *target, u *directory.User, create bool) (map[string]any, []mapping.Problem, error) {
	vars, err := e.Dir.UserVars(u)
	if err != nil {
		return nil, nil, err
	}
	wanted, problems := t.out.Apply(ctx, map[string]any{"user": vars, "app": directory.AppVars(t.app)}, nil, create)
	return wanted, problems, ctx.Err()
}

// wanted is desired for this export, whose end tells the problems.
func (x *export) wanted(ctx context.Context, u *directory.User, create bool) (map[string]any, error) {
	wanted, problems, err := x.e.desired(ctx, x.t, u, create)
	x.problems = problems
	return wanted, err
}

// create makes the account. It is the one call that is not idempotent: that it was
// begun is durable before it is made, with our own ID as the key by which it is found
// again.
func (x *export) create(ctx context.Context, u *directory.User, a *directory.AppUser) error {
	writer, ok := x.t.conn.(Writer)
	if !ok {
		return x.readOnly()
	}
	wanted, o, err := x.newAccount(ctx, u)
	if err != nil {
		return err
	}
	var ref Ref
	return x.attempt(ctx, opCreate, o, func(tx *sqldb.Tx) error {
		begun := *a
		begun.Creating, begun.SyncState = true, directory.SyncSyncing
		return x.saveTx(tx, &begun)
	}, func(ctx context.Context) (err error) {
		ref, err = writer.Create(WithUserVars(ctx, x.userVars(u)), o, Key(u.ID))
		return err
	}, func(tx *sqldb.Tx) error {
		made := *a
		made.ExternalID, made.RemoteName, made.Creating = ref.ID, ref.Name, false
		made.Shadow, made.Profile, made.Applied = o.Attributes, x.t.users.Profile(o.Attributes), wanted
		made.RemoteActive, made.RemoteVersion = true, ""
		x.provisioned(&made)
		if err := x.doneTx(tx, &made); err != nil {
			return err
		}
		if err := x.e.Dir.MarkGroupsOfUserTx(tx, u.ID); err != nil {
			return err
		}
		return x.auditTx(tx, "application.provision.user.push", map[string]any{"externalId": ref.ID})
	})
}

// newAccount is the account as it is to be made.
func (x *export) newAccount(ctx context.Context, u *directory.User) (wanted map[string]any, o Object, err error) {
	if wanted, err = x.wanted(ctx, u, true); err != nil {
		return nil, o, err
	}
	profile := copyOf(wanted)
	if err := x.e.addressRefs(ctx, x.t, x.t.users, profile); err != nil {
		return nil, o, err
	}
	for _, attr := range x.t.users.Attributes {
		if attr.Required && len(encode(profile[attr.Name])) == 0 {
			return nil, o, fmt.Errorf("%w: the app needs %s, and the mapping gives no value", errMapping, attr.Name)
		}
	}
	// What is set on create only is not compared later.
	for name, p := range x.t.out.source.Properties {
		if p.PushStatus == directory.DontPush {
			delete(wanted, name)
		}
	}
	return wanted, Object{Ref: Ref{Type: TypeUser, ExternalID: u.ID}, Attributes: x.t.users.Values(profile), Active: true}, nil
}

// userVars are for the connector that names the account by an expression.
func (x *export) userVars(u *directory.User) map[string]any {
	vars, err := x.e.Dir.UserVars(u)
	if err != nil {
		return nil // the mapping has read them a moment ago
	}
	return vars
}

func (x *export) provisioned(a *directory.AppUser) {
	a.Status, a.SyncState = directory.AppUserProvisioned, directory.SyncSynchronized
	a.StatusChanged, a.LastSync = x.e.Now(), x.e.Now()
}

func (x *export) readOnly() error {
	return &Error{Kind: ErrConfig, Op: "write to " + x.t.app.Label, Body: "the target cannot be written to"}
}

// update sends what has changed in what our mapping wants since it was last applied,
// as the smallest difference to what the app has. What the app changed by itself is
// drift and stays.
func (x *export) update(ctx context.Context, u *directory.User, a *directory.AppUser) error {
	wanted, err := x.wanted(ctx, u, false)
	if err != nil {
		return err
	}
	d := Delta{}
	operation := opUpdate
	if x.t.app.Has(directory.PushProfileUpdates) || a.SyncState == directory.SyncOutOfSync && len(a.Applied) == 0 {
		if d, err = x.delta(ctx, a, wanted); err != nil {
			return err
		}
	} else {
		wanted = a.Applied
	}
	if !a.RemoteActive && a.Status == directory.AppUserDeprovisioned && x.t.app.Has(directory.ReactivateUsers) {
		on := true
		d.Active, operation = &on, opReactivate
	}
	return x.send(ctx, a, d, wanted, operation)
}

// delta is the difference to send.
func (x *export) delta(ctx context.Context, a *directory.AppUser, wanted map[string]any) (Delta, error) {
	changed := map[string]any{}
	for name, v := range wanted {
		if !sameValue(a.Applied[name], v) {
			changed[name] = v
		}
	}
	if err := x.e.addressRefs(ctx, x.t, x.t.users, changed); err != nil {
		return Delta{}, err
	}
	return x.t.users.Diff(a.Shadow, changed), nil
}

// off turns an account off whose user is gone, not active, or no longer assigned.
func (x *export) off(ctx context.Context, u *directory.User, a *directory.AppUser) error {
	if a.ExternalID == "" || !a.RemoteActive || !x.t.app.Has(directory.PushUserDeactivation) {
		return x.write(ctx, func(tx *sqldb.Tx) error { return x.turnedOff(tx, u, a) })
	}
	off := false
	err := x.send(ctx, a, Delta{Active: &off}, a.Applied, opDeactivate)
	if errors.Is(err, ErrNotFound) { // gone is off
		a.ExternalID, a.RemoteActive = "", false
		return x.write(ctx, func(tx *sqldb.Tx) error { return x.turnedOff(tx, u, a) })
	}
	if err != nil || u != nil {
		return err
	}
	return x.write(ctx, func(tx *sqldb.Tx) error { return x.e.Dir.DeleteAppUserTx(tx, a.AppID, a.UserID) })
}

// turnedOff closes an account to which nothing is to be sent.
func (x *export) turnedOff(tx *sqldb.Tx, u *directory.User, a *directory.AppUser) error {
	if u == nil {
		if err := x.e.Dir.DeleteAppUserTx(tx, a.AppID, a.UserID); err != nil {
			return err
		}
		return x.finishTx(tx, x.m)
	}
	next := *a
	if a.Assigned || a.Status != directory.AppUserUnassigned {
		next.Status = directory.AppUserDeprovisioned
	}
	next.SyncState, next.StatusChanged = directory.SyncDisabled, x.e.Now()
	return x.doneTx(tx, &next)
}

// send makes one update at the app and stores the account as it then is.
func (x *export) send(ctx context.Context, a *directory.AppUser, d Delta, wanted map[string]any, operation string) error {
	next := *a
	next.Applied, next.SyncState, next.LastSync = wanted, directory.SyncSynchronized, x.e.Now()
	if d.Empty() {
		return x.done(ctx, &next)
	}
	writer, ok := x.t.conn.(Writer)
	if !ok {
		return x.readOnly()
	}
	ref := Ref{Type: TypeUser, ID: a.ExternalID, Name: a.RemoteName, ExternalID: a.UserID}
	var version string
	err := x.attempt(ctx, operation, d, func(tx *sqldb.Tx) error {
		busy := *a
		busy.SyncState = directory.SyncSyncing
		return x.saveTx(tx, &busy)
	}, func(ctx context.Context) (err error) {
		version, err = writer.Update(ctx, ref, d, a.RemoteVersion)
		return err
	}, func(tx *sqldb.Tx) error {
		next.RemoteVersion = version
		x.applied(&next, d)
		if err := x.doneTx(tx, &next); err != nil {
			return err
		}
		return x.auditTx(tx, eventOf(operation), map[string]any{"attributes": changedNames(d)})
	})
	if errors.Is(err, ErrConflict) {
		return x.lookAgain(ctx, a, err)
	}
	return err
}

// applied makes the account what it is after a delta.
func (x *export) applied(a *directory.AppUser, d Delta) {
	shadow := make(map[string][]string, len(a.Shadow))
	for name, v := range a.Shadow {
		shadow[name] = v
	}
	for name, change := range d.Set {
		if shadow[name] = change.To; len(change.To) == 0 {
			delete(shadow, name)
		}
	}
	a.Shadow, a.Profile = shadow, x.t.users.Profile(shadow)
	if d.Active == nil {
		return
	}
	a.RemoteActive, a.StatusChanged = *d.Active, x.e.Now()
	a.Status = directory.AppUserProvisioned
	if !*d.Active {
		a.Status, a.SyncState = directory.AppUserDeprovisioned, directory.SyncDisabled
	}
}

// lookAgain reads an account that has another version than the one we know, so that
// the next try compares with what it is.
func (x *export) lookAgain(ctx context.Context, a *directory.AppUser, conflict error) error {
	getter, ok := x.t.conn.(Getter)
	if !ok {
		return conflict
	}
	asking, cancel := context.WithTimeout(ctx, x.e.callTimeout())
	defer cancel()
	o, err := getter.Get(asking, Ref{Type: TypeUser, ID: a.ExternalID})
	if err != nil {
		return errors.Join(conflict, err)
	}
	seen := *a
	seen.Shadow, seen.Profile, seen.RemoteVersion, seen.RemoteName = o.Attributes, x.t.users.Profile(o.Attributes), o.Version, o.Name
	if err := x.write(ctx, func(tx *sqldb.Tx) error { return x.saveTx(tx, &seen) }); err != nil {
		return err
	}
	return conflict
}

func eventOf(operation string) string {
	switch operation {
	case opDeactivate:
		return "application.provision.user.deactivate"
	case opReactivate:
		return "application.provision.user.reactivate"
	}
	return "application.provision.user.push_profile"
}

// changedNames lists what a delta sets, for the system log.
func changedNames(d Delta) string {
	return strings.Join(sortedKeys(d.Set), ", ")
}
