package directory

import (
	"errors"
	"slices"
	"testing"

	"github.com/provost-id/provost/internal/sqldb"
)

// Every pair of status and operation, as the contract has it.
func TestLifecycleTransitions(t *testing.T) {
	want := map[LifecycleOp]map[Status]Status{
		Activate:       {Staged: Active, Deprovisioned: Active},
		Reactivate:     {Provisioned: Provisioned, Recovery: Recovery},
		Deactivate:     {Staged: Deprovisioned, Provisioned: Deprovisioned, Active: Deprovisioned, Recovery: Deprovisioned, PasswordExpired: Deprovisioned, LockedOut: Deprovisioned, Suspended: Deprovisioned},
		Suspend:        {Active: Suspended},
		Unsuspend:      {Suspended: Active},
		Unlock:         {LockedOut: Active},
		ExpirePassword: {Active: PasswordExpired, Recovery: PasswordExpired, LockedOut: PasswordExpired, PasswordExpired: PasswordExpired},
		ResetPassword:  {Active: Recovery, Recovery: Recovery, LockedOut: Recovery, PasswordExpired: Recovery},
	}
	statuses := []Status{Staged, Provisioned, Active, Recovery, PasswordExpired, LockedOut, Suspended, Deprovisioned}
	each(t, func(t *testing.T, d *Directory) {
		hash, err := d.HashPassword(t.Context(), "correct horse")
		if err != nil {
			t.Fatal(err)
		}
		for op, to := range want {
			for _, from := range statuses {
				r := parseUser(t, d, `{"userName":"`+string(op)+`.`+string(from)+`@example.com"}`)
				u, err := d.CreateUser(t.Context(), manager, r, CreateOptions{Status: from, PasswordHash: hash})
				if err != nil {
					t.Fatal(err)
				}
				got, err := d.SetStatus(t.Context(), manager, u.ID, op)
				status, allowed := to[from]
				switch {
				case allowed && (err != nil || got.Status != status):
					t.Errorf("%s from %s: %v, %v; want %s", op, from, got, err, status)
				case !allowed && !errors.Is(err, ErrTransition):
					t.Errorf("%s from %s: %v, want ErrTransition", op, from, err)
				}
				if allowed != slices.Contains(Allowed(from), op) {
					t.Errorf("Allowed(%s) disagrees about %s", from, op)
				}
			}
		}
	})
}

func TestFirstStatus(t *testing.T) {
	yes, no := true, false
	each(t, func(t *testing.T, d *Directory) {
		for name, tc := range map[string]struct {
			change Change
			body   string
			o      CreateOptions
			want   Status
		}{
			"managed with password":         {manager, `"password":"correct horse"`, CreateOptions{Activate: &yes}, Active},
			"managed without password":      {manager, `"title":"x"`, CreateOptions{Activate: &yes}, Provisioned},
			"managed, not activated":        {manager, `"password":"correct horse"`, CreateOptions{Activate: &no}, Staged},
			"scim":                          {tester, `"title":"x"`, CreateOptions{}, Active},
			"scim inactive":                 {tester, `"active":false`, CreateOptions{}, Staged},
			"a status given by the creator": {tester, `"title":"x"`, CreateOptions{Status: Deprovisioned}, Deprovisioned},
		} {
			u, err := d.CreateUser(t.Context(), tc.change, parseUser(t, d, `{"userName":"`+name+`@example.com",`+tc.body+`}`), tc.o)
			if err != nil || u.Status != tc.want {
				t.Errorf("%s: %v, %v; want %s", name, u, err, tc.want)
			}
		}
	})
}

// SCIM's active is a view of the status.
func TestActiveIsAView(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreate(t, d, `{"userName":"a@example.com"}`)
		put := func(active string) *User {
			t.Helper()
			got, err := d.ReplaceUser(t.Context(), tester, u.ID, nil, parseUser(t, d, `{"userName":"a@example.com"`+active+`}`))
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := put(`,"active":false`); got.Status != Deprovisioned {
			t.Errorf("active false: %s", got.Status)
		}
		if got := put(``); got.Status != Deprovisioned {
			t.Errorf("active left out of a PUT: %s, want it to stay", got.Status)
		}
		if got := put(`,"active":true`); got.Status != Active {
			t.Errorf("active true: %s", got.Status)
		}
		if _, err := d.SetStatus(t.Context(), manager, u.ID, Suspend); err != nil {
			t.Fatal(err)
		}
		if got := put(`,"active":true`); got.Status != Active {
			t.Errorf("active true of a suspended user: %s", got.Status)
		}
	})
}

// ADV-68: whatever ends a user's right to be here calls the hooks in its transaction.
func TestADV68_SignOutInTheSameTransaction(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		var ended []string
		refuse := false
		d.OnSignOut = append(d.OnSignOut, func(tx *sqldb.Tx, userID string) error {
			if refuse {
				return errors.New("no")
			}
			tx.AfterCommit(func() { ended = append(ended, userID) })
			return nil
		})
		for name, end := range map[string]func(id string) error{
			"deactivate": func(id string) error { _, err := d.SetStatus(t.Context(), manager, id, Deactivate); return err },
			"suspend":    func(id string) error { _, err := d.SetStatus(t.Context(), manager, id, Suspend); return err },
			"reset":      func(id string) error { _, err := d.SetStatus(t.Context(), manager, id, ResetPassword); return err },
			"delete":     func(id string) error { return d.DeleteUser(t.Context(), tester, id, nil) },
			"password":   func(id string) error { return d.SetPassword(t.Context(), manager, id, "correct horse") },
			"scim": func(id string) error {
				_, err := d.ReplaceUser(t.Context(), tester, id, nil, parseUser(t, d, `{"userName":"scim@example.com","active":false}`))
				return err
			},
		} {
			ended = nil
			u := mustCreate(t, d, `{"userName":"`+name+`@example.com"}`)
			refuse = true
			if err := end(u.ID); err == nil {
				t.Errorf("%s went through although the sign-out failed", name)
			}
			if same, err := d.User(t.Context(), u.ID); err != nil || same.Version != u.Version {
				t.Errorf("%s left something behind: %v, %v", name, same, err)
			}
			refuse = false
			if err := end(u.ID); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !slices.Equal(ended, []string{u.ID}) {
				t.Errorf("%s signed out %v, want the user once", name, ended)
			}
		}
	})
}
