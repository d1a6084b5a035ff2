package directory

import (
	"context"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
)

// Status is where a user stands in its life. SCIM's active is a view of it.
type Status string

// The statuses of a user.
const (
	Staged          Status = "STAGED"
	Provisioned     Status = "PROVISIONED"
	Active          Status = "ACTIVE"
	Recovery        Status = "RECOVERY"
	PasswordExpired Status = "PASSWORD_EXPIRED"
	LockedOut       Status = "LOCKED_OUT"
	Suspended       Status = "SUSPENDED"
	Deprovisioned   Status = "DEPROVISIONED"
)

// Active reports whether the user counts as active for SCIM and for apps: it holds
// its accounts, even while it cannot sign in for want of a password.
func (s Status) Active() bool {
	return s != Staged && s != Suspended && s != Deprovisioned
}

// LifecycleOp is an operation on a user's status, named as in the path of the management API.
type LifecycleOp string

// The lifecycle operations.
const (
	Activate       LifecycleOp = "activate"
	Reactivate     LifecycleOp = "reactivate"
	Deactivate     LifecycleOp = "deactivate"
	Suspend        LifecycleOp = "suspend"
	Unsuspend      LifecycleOp = "unsuspend"
	Unlock         LifecycleOp = "unlock"
	ExpirePassword LifecycleOp = "expire_password"
	ResetPassword  LifecycleOp = "reset_password"
)

// transition says from where an operation leads, to which status, under which event.
type transition struct {
	from  []Status
	to    Status // empty: Activate decides by the password, Reactivate stays
	event string
}

// transitions are those of the contract; every other pair is refused.
var transitions = map[LifecycleOp]transition{
	Activate:   {from: []Status{Staged, Deprovisioned}, event: "user.lifecycle.activate"},
	Reactivate: {from: []Status{Provisioned, Recovery}, event: "user.lifecycle.reactivate"},
	Deactivate: {
		from: []Status{Staged, Provisioned, Active, Recovery, PasswordExpired, LockedOut, Suspended},
		to:   Deprovisioned, event: "user.lifecycle.deactivate",
	},
	Suspend:   {from: []Status{Active}, to: Suspended, event: "user.lifecycle.suspend"},
	Unsuspend: {from: []Status{Suspended}, to: Active, event: "user.lifecycle.unsuspend"},
	Unlock:    {from: []Status{LockedOut}, to: Active, event: "user.account.unlock"},
	ExpirePassword: {
		from: []Status{Active, Recovery, LockedOut, PasswordExpired},
		to:   PasswordExpired, event: "user.account.expire_password",
	},
	ResetPassword: {
		from: []Status{Active, Recovery, LockedOut, PasswordExpired},
		to:   Recovery, event: "user.account.reset_password",
	},
}

// Allowed returns the operations that a status allows, sorted.
func Allowed(s Status) []LifecycleOp {
	var ops []LifecycleOp
	for op, t := range transitions {
		if slices.Contains(t.from, s) {
			ops = append(ops, op)
		}
	}
	slices.Sort(ops)
	return ops
}

// target is where an operation leads a user.
func (t transition) target(op LifecycleOp, c Change, u *User) Status {
	switch {
	case op == Activate:
		return activated(c, u.HasPassword)
	case op == Reactivate:
		return u.Status
	}
	return t.to
}

// activated is the status of a user that becomes active. Without a password it waits
// for one, unless it comes from a system that signs its people in by itself.
func activated(c Change, hasPassword bool) Status {
	if hasPassword || c.Source.Kind != SourceManage && c.Source.Kind != SourceSelf {
		return Active
	}
	return Provisioned
}

// SetStatus runs a lifecycle operation. One that the status does not allow is a
// *TransitionError.
func (d *Directory) SetStatus(ctx context.Context, c Change, id string, op LifecycleOp) (u *User, err error) {
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		u, err = d.SetStatusTx(tx, c, id, op)
		return err
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// SetStatusTx is SetStatus inside a transaction.
func (d *Directory) SetStatusTx(tx *sqldb.Tx, c Change, id string, op LifecycleOp) (*User, error) {
	u, err := d.lockUserTx(tx, id, c.Client)
	if err != nil {
		return nil, err
	}
	t, ok := transitions[op]
	if !ok || !slices.Contains(t.from, u.Status) {
		return nil, &TransitionError{Op: op, From: u.Status}
	}
	if op == Unlock {
		if err := d.forgetTries(tx, id); err != nil {
			return nil, err
		}
	}
	return d.moveTx(tx, c, u, t.target(op, c, u), t.event)
}

// activeStatus is the status that SCIM's active asks for, and its event; the present
// one when it says so already.
func activeStatus(c Change, active bool, u *User) (Status, string) {
	op := Deactivate
	switch {
	case active == u.Status.Active():
		return u.Status, ""
	case active && u.Status == Suspended:
		op = Unsuspend
	case active:
		op = Activate
	}
	t := transitions[op]
	return t.target(op, c, u), t.event
}

// moveTx stores a status and nothing else.
func (d *Directory) moveTx(tx *sqldb.Tx, c Change, u *User, to Status, event string) (*User, error) {
	return d.storeUser(tx, c, userChange{old: u, status: to, lifecycle: event})
}
