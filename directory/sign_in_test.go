package directory

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

const password = "correct horse"

func mustCreateWithPassword(t testing.TB, d *Directory, userName string) *User {
	t.Helper()
	return mustCreate(t, d, `{"userName":"`+userName+`","password":"`+password+`"}`)
}

func TestCheckPassword(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreateWithPassword(t, d, "Ana@example.com")
		mustCreate(t, d, `{"userName":"none@example.com"}`)
		for _, login := range []string{"ana@example.com", "ANA@EXAMPLE.COM", "ána@example.com", "ana"} {
			got, err := d.CheckPassword(t.Context(), login, password)
			if err != nil || got.ID != u.ID {
				t.Errorf("CheckPassword(%q) = %v, %v", login, got, err)
			}
		}
		for name, try := range map[string][2]string{
			"wrong password": {"ana@example.com", "wrong horse"}, "empty password": {"ana@example.com", ""},
			"unknown user": {"nobody@example.com", password}, "no password set": {"none@example.com", password},
			"no password set, none given": {"none@example.com", ""}, "no login": {"", password},
			"case of the password": {"ana@example.com", "Correct horse"},
		} {
			if _, err := d.CheckPassword(t.Context(), try[0], try[1]); err != ErrCredentials { //nolint:errorlint // exactly it, nothing to tell apart
				t.Errorf("%s: %v, want ErrCredentials and no more", name, err)
			}
		}
		got, err := d.User(t.Context(), u.ID)
		if err != nil || got.LastLogin.IsZero() || got.Version != 1 {
			t.Errorf("after sign-in: last login %v version %d, %v", got.LastLogin, got.Version, err)
		}
	})
}

func TestCheckPasswordByStatus(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		hash, err := d.HashPassword(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		for status, want := range map[Status]error{
			Active: nil, PasswordExpired: ErrPasswordExpired, LockedOut: nil, Staged: ErrCredentials, Provisioned: ErrCredentials,
			Recovery: ErrCredentials, Suspended: ErrCredentials, Deprovisioned: ErrCredentials,
		} {
			login := strings.ToLower(string(status)) + "@example.com"
			r := parseUser(t, d, `{"userName":"`+login+`"}`)
			if _, err := d.CreateUser(t.Context(), tester, r, CreateOptions{Status: status, PasswordHash: hash}); err != nil {
				t.Fatal(err)
			}
			if _, err := d.CheckPassword(t.Context(), login, password); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", status, err, want)
			}
		}
	})
}

// ADV-39: one counter per account, however its login is written and however many ask
// at once.
func TestADV39_OneCounterPerAccount(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreateWithPassword(t, d, "ana@example.com")
		var wg sync.WaitGroup
		logins := []string{"ana@example.com", "ANA@example.com", "ána@example.com", "ana"}
		for i := range passwords.MaxTries + 5 {
			wg.Go(func() { _, _ = d.CheckPassword(context.Background(), logins[i%len(logins)], "wrong horse") })
		}
		wg.Wait()
		if _, err := d.CheckPassword(t.Context(), "ana@example.com", password); !errors.Is(err, ErrCredentials) {
			t.Errorf("the right password after the lock: %v, want ErrCredentials", err)
		}
		if got, err := d.User(t.Context(), u.ID); err != nil || got.Status != LockedOut {
			t.Errorf("status %s, %v; want LOCKED_OUT", got.Status, err)
		}
		again := openDirectory(t, d.DB) // a restart, or another node
		again.Keys = d.Keys
		if _, err := again.CheckPassword(t.Context(), "ana@example.com", password); !errors.Is(err, ErrCredentials) {
			t.Errorf("the lock did not survive: %v", err)
		}
		if _, err := d.SetStatus(t.Context(), manager, u.ID, Unlock); err != nil {
			t.Fatal(err)
		}
		if _, err := d.CheckPassword(t.Context(), "ana@example.com", password); err != nil {
			t.Errorf("after unlock: %v", err)
		}
	})
}

// ADV-40: the lock ends by itself, and trying on does not prolong it.
func TestADV40_LockEndsByItself(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		start := time.Now()
		d.Now = func() time.Time { return start }
		u := mustCreateWithPassword(t, d, "ana@example.com")
		for range passwords.MaxTries + 1 {
			_, _ = d.CheckPassword(t.Context(), "ana@example.com", "wrong horse")
		}
		d.Now = func() time.Time { return start.Add(passwords.LockTime - time.Second) }
		if _, err := d.CheckPassword(t.Context(), "ana@example.com", password); !errors.Is(err, ErrCredentials) {
			t.Errorf("just before the end: %v", err)
		}
		d.Now = func() time.Time { return start.Add(passwords.LockTime + time.Second) }
		got, err := d.CheckPassword(t.Context(), "ana@example.com", password)
		if err != nil || got.Status != Active {
			t.Errorf("after the end: %v, %v; want ACTIVE", got, err)
		}
		if got := eventTypes(t, d, u.ID); len(got) != 3 || got[1] != "user.account.lock" || got[2] != "user.account.unlock" {
			t.Errorf("events %v", got)
		}
	})
}

// ADV-41: an unknown login is counted and locked like a known one.
func TestADV41_UnknownLoginCostsTheSame(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		for range passwords.MaxTries + 2 {
			_, _ = d.CheckPassword(t.Context(), "nobody@example.com", password)
		}
		var tries int
		err := d.DB.QueryRow(t.Context(), `SELECT tries FROM sign_in_tries WHERE account = $1`, d.triesKey("nobody@example.com")).Scan(&tries)
		if err != nil || tries != passwords.MaxTries+2 {
			t.Errorf("%d tries counted, %v; want %d", tries, err, passwords.MaxTries+2)
		}
	})
}

func TestSetPassword(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		for from, to := range map[Status]Status{
			Staged: Staged, Provisioned: Active, Active: Active, Recovery: Active, PasswordExpired: Active,
			LockedOut: Active, Suspended: Suspended, Deprovisioned: Deprovisioned,
		} {
			r := parseUser(t, d, `{"userName":"`+string(from)+`@example.com"}`)
			u, err := d.CreateUser(t.Context(), manager, r, CreateOptions{Status: from})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.SetPassword(t.Context(), manager, u.ID, password); err != nil {
				t.Fatal(err)
			}
			got, err := d.User(t.Context(), u.ID)
			if err != nil || got.Status != to || !got.HasPassword || got.PasswordChanged.IsZero() || got.Version != 2 {
				t.Errorf("from %s: %+v, %v; want %s", from, got, err, to)
			}
		}
		for name, bad := range map[string]string{"short": "1234567", "long": strings.Repeat("x", 73), "not UTF-8": "correct \xff horse"} {
			var refused *passwords.Error
			if err := d.SetPassword(t.Context(), manager, "00u", bad); !errors.As(err, &refused) || !errors.Is(err, passwords.ErrRefused) {
				t.Errorf("%s password: %v, want a passwords.Error", name, err)
			}
		}
		if err := d.SetPassword(t.Context(), manager, "00unobody", password); !errors.Is(err, ErrNotFound) {
			t.Errorf("unknown user: %v", err)
		}
	})
}

func TestADV67_PasswordStaysHidden(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		const secret = "Tr0ub4dor-and-3"
		u := mustCreate(t, d, `{"userName":"ana@example.com","password":"`+secret+`"}`)
		if _, err := d.ReplaceUser(t.Context(), tester, u.ID, nil, parseUser(t, d, `{"userName":"ana@example.com","password":"`+secret+`2"}`)); err != nil {
			t.Fatal(err)
		}
		if err := d.SetPassword(t.Context(), manager, u.ID, secret+"3"); err != nil {
			t.Fatal(err)
		}
		got, err := d.User(t.Context(), u.ID)
		if err != nil || strings.Contains(string(got.Doc), "Tr0ub4dor") {
			t.Errorf("document holds the password: %s, %v", got.Doc, err)
		}
		bodies, err := column[string](d.DB.Query(t.Context(), `SELECT body FROM events`))
		if err != nil || len(bodies) < 3 {
			t.Fatalf("%d events, %v", len(bodies), err)
		}
		for _, body := range bodies {
			if strings.Contains(body, "Tr0ub4dor") || strings.Contains(body, "argon2") {
				t.Errorf("event holds the password: %s", body)
			}
		}
		hash, err := d.passwordHash(t.Context(), u.RID)
		if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("stored as %q, %v", hash, err)
		}
	})
}

func TestPasswordInTransactionIsRefused(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		r := parseUser(t, d, `{"userName":"ana@example.com","password":"correct horse"}`)
		err := d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			_, err := d.CreateUserTx(tx, tester, r, CreateOptions{})
			return err
		})
		if !errors.Is(err, errPasswordInTx) {
			t.Errorf("got %v", err)
		}
	})
}

// Whoever may not change Administrators may not take one of them over either.
func TestADV53_AdministratorsAreOutOfReach(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		boss, mole := mustCreateWithPassword(t, d, "boss@example.com"), mustCreate(t, d, `{"userName":"mole@example.com"}`)
		if err := d.AddMember(t.Context(), manager, d.AdministratorsID(), boss.ID); err != nil {
			t.Fatalf("with the manage scope: %v", err)
		}
		importer := tester
		importer.Source = Source{Kind: SourceImport, ID: "0oa1"}
		for _, c := range []Change{tester, importer, {Actor: events.System, Source: Source{Kind: SourceJIT}}, {Source: Source{Kind: SourceSelf}}} {
			for name, try := range map[string]func() error{
				"add":    func() error { return d.AddMember(t.Context(), c, d.AdministratorsID(), mole.ID) },
				"remove": func() error { return d.RemoveMember(t.Context(), c, d.AdministratorsID(), boss.ID) },
				"replace": func() error {
					_, err := d.ReplaceGroup(t.Context(), c, d.AdministratorsID(), nil, parseGroup(t, d, `{"displayName":"Administrators"}`))
					return err
				},
				"delete": func() error { return d.DeleteGroup(t.Context(), c, d.AdministratorsID(), nil) },
			} {
				if err := try(); !errors.Is(err, ErrProtected) {
					t.Errorf("%s by %s: %v, want ErrProtected", name, c.Source.Kind, err)
				}
			}
		}
		if err := d.SetPassword(t.Context(), tester, boss.ID, "stolen horse"); !errors.Is(err, ErrProtected) {
			t.Errorf("password of an administrator by SCIM: %v, want ErrProtected", err)
		}
		if err := d.DeleteUser(t.Context(), tester, boss.ID, nil); !errors.Is(err, ErrProtected) {
			t.Errorf("deletion of an administrator by SCIM: %v, want ErrProtected", err)
		}
		if err := d.SetPassword(t.Context(), Change{Source: Source{Kind: SourceSelf}}, boss.ID, "another horse"); err != nil {
			t.Errorf("own password: %v", err)
		}
		for _, group := range []string{d.AdministratorsID(), d.EveryoneID()} {
			if err := d.DeleteGroup(t.Context(), manager, group, nil); !errors.Is(err, ErrProtected) {
				t.Errorf("deletion of a built-in group: %v", err)
			}
		}
		if err := d.RemoveMember(t.Context(), manager, d.EveryoneID(), mole.ID); !errors.Is(err, ErrProtected) {
			t.Errorf("leaving Everyone: %v", err)
		}
		if _, err := d.CreateGroup(t.Context(), manager, parseGroup(t, d, `{"displayName":"administrators"}`), GroupOptions{}); !errors.Is(err, ErrConflict) {
			t.Errorf("a second group of that name: %v, want a conflict", err)
		}
	})
}
