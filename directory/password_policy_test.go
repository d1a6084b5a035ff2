package directory

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/schemas"
)

// setPolicy changes settings of the policy in force.
func setPolicy(t testing.TB, d *Directory, change func(*passwords.Policy)) {
	t.Helper()
	p, err := d.PasswordPolicy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	change(&p.Settings)
	if _, err := d.SetPasswordPolicy(t.Context(), manager, p.ID, p.Settings); err != nil {
		t.Fatal(err)
	}
}

func wantRule(t testing.TB, what string, err error, rule string) {
	t.Helper()
	var refused *passwords.Error
	if rule == "" && err != nil || rule != "" && (!errors.As(err, &refused) || refused.Rule != rule) {
		t.Errorf("%s: %v, want rule %q", what, err, rule)
	}
}

func TestPasswordPolicyIsStored(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		first, err := d.PasswordPolicy(t.Context())
		if err != nil || len(first.ID) != 20 || first.ID[:3] != "00p" {
			t.Fatalf("new organisation: %+v, %v", first, err)
		}
		if diff := cmp.Diff(passwords.Default(), first.Settings); diff != "" {
			t.Errorf("settings of a new organisation: %s", diff)
		}
		settings := first.Settings
		settings.Complexity.MinLength, settings.Complexity.ExcludeAttributes, settings.Age.HistoryCount = 12, nil, 5
		settings.Complexity.Dictionary.Common.Exclude = false
		if _, err := d.SetPasswordPolicy(t.Context(), manager, first.ID, settings); err != nil {
			t.Fatal(err)
		}
		other := openDirectory(t, d.DB) // another node
		second, err := other.PasswordPolicy(t.Context())
		settings.Complexity.ExcludeAttributes = []string{}
		if err != nil || second.ID != first.ID || !cmp.Equal(second.Settings, settings) || second.Modified.Before(first.Modified) {
			t.Errorf("another node reads %+v, %v", second, err)
		}
		if got := eventTypes(t, d, first.ID); !slices.Equal(got, []string{"policy.lifecycle.update"}) {
			t.Errorf("events %v", got)
		}
		if _, err := d.SetPasswordPolicy(t.Context(), manager, "00pother", settings); !errors.Is(err, ErrNotFound) {
			t.Errorf("another ID: %v", err)
		}
	})
}

func TestPasswordPolicyBounds(t *testing.T) {
	for path, change := range map[string]func(*passwords.Policy){
		"complexity.minLength":         func(p *passwords.Policy) { p.Complexity.MinLength = 3 },
		"complexity.minLowerCase":      func(p *passwords.Policy) { p.Complexity.MinLowerCase = -1 },
		"complexity.minUpperCase":      func(p *passwords.Policy) { p.Complexity.MinUpperCase = 73 },
		"complexity.minNumber":         func(p *passwords.Policy) { p.Complexity.MinNumber = 73 },
		"complexity.minSymbol":         func(p *passwords.Policy) { p.Complexity.MinSymbol = 73 },
		"complexity.excludeAttributes": func(p *passwords.Policy) { p.Complexity.ExcludeAttributes = []string{"department"} },
		"age.maxAgeDays":               func(p *passwords.Policy) { p.Age.MaxAgeDays = -1 },
		"age.expireWarnDays":           func(p *passwords.Policy) { p.Age.MaxAgeDays, p.Age.ExpireWarnDays = 5, 6 },
		"age.minAgeMinutes":            func(p *passwords.Policy) { p.Age.MaxAgeDays, p.Age.MinAgeMinutes = 1, 1440 },
		"age.historyCount":             func(p *passwords.Policy) { p.Age.HistoryCount = 1000 },
		"lockout.maxAttempts":          func(p *passwords.Policy) { p.Lockout.MaxAttempts = 1_000_000 },
		"lockout.autoUnlockMinutes":    func(p *passwords.Policy) { p.Lockout.AutoUnlockMinutes = -1 },
		"lockout.showLockoutFailures":  func(p *passwords.Policy) { p.Lockout.ShowLockoutFailures = true },
	} {
		p := passwords.Default()
		change(&p)
		var invalid *schemas.Error
		if err := p.Check(); !errors.As(err, &invalid) || invalid.Path != "settings.password."+path {
			t.Errorf("%v, want an error of %s", err, path)
		}
	}
	if err := passwords.Default().Check(); err != nil {
		t.Errorf("the default: %v", err)
	}
}

// The policy holds wherever a password is set.
func TestPolicyHoldsEverywhere(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		u := mustCreateWithPassword(t, d, "ana@example.com")
		setPolicy(t, d, func(p *passwords.Policy) { p.Complexity.MinNumber = 1 })
		_, err := d.CreateUser(t.Context(), tester, parseUser(t, d, `{"userName":"bob@example.com","password":"correct horse"}`), CreateOptions{})
		wantRule(t, "create", err, "minNumber")
		_, err = d.ReplaceUser(t.Context(), tester, u.ID, nil, parseUser(t, d, `{"userName":"ana@example.com","password":"correct horse"}`))
		wantRule(t, "replace", err, "minNumber")
		ops, err := d.userType().ParsePatch([]byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"password","value":"correct horse"}]}`), schemas.Generic)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.PatchUser(t.Context(), tester, u.ID, nil, ops, schemas.Generic)
		wantRule(t, "patch", err, "minNumber")
		_, err = d.EditUser(t.Context(), manager, u.ID, nil, ProfileEdit{Password: password})
		wantRule(t, "edit", err, "minNumber")
		wantRule(t, "set", d.SetPassword(t.Context(), manager, u.ID, password), "minNumber")
		wantRule(t, "change", d.ChangePassword(t.Context(), manager, u.ID, password, false), "minNumber")
		_, err = d.HashPassword(t.Context(), password)
		wantRule(t, "hash", err, "minNumber")
		// The profile that counts is the one after the change.
		_, err = d.EditUser(t.Context(), manager, u.ID, nil, ProfileEdit{Profile: map[string]any{"lastName": "Lovelace"}, Password: "1 lovelace 1"})
		wantRule(t, "edit with a new name", err, "excludeAttributes")
		if _, err := d.CheckPassword(t.Context(), "ana@example.com", password); err != nil {
			t.Errorf("a password of before: %v", err)
		}
		if _, err := d.CreateUser(t.Context(), manager, parseUser(t, d, `{"userName":"eve@example.com"}`), CreateOptions{PasswordHash: importable["LDAP"].Value}); err != nil {
			t.Errorf("a hash skips the policy: %v", err)
		}
	})
}

func TestPasswordHistory(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		setPolicy(t, d, func(p *passwords.Policy) { p.Age.HistoryCount = 3 })
		u := mustCreateWithPassword(t, d, "ana@example.com")
		set := func(password, rule string) {
			t.Helper()
			wantRule(t, password, d.ChangePassword(t.Context(), manager, u.ID, password, false), rule)
		}
		set(password, "historyCount") // the present one
		set("second horse", "")
		set("third horse", "")
		set(password, "historyCount")
		set("second horse", "historyCount")
		set("fourth horse", "")
		set(password, "") // the fourth from the end
		if err := d.SetPassword(t.Context(), manager, u.ID, "fourth horse"); err != nil {
			t.Errorf("an administrator is not held to the history: %v", err)
		}
		_, err := d.EditUser(t.Context(), manager, u.ID, nil, ProfileEdit{Password: password, Strict: true})
		wantRule(t, "a strict edit", err, "historyCount")
		kept, err := column[string](d.DB.Query(t.Context(), `SELECT hash FROM password_history WHERE rid = $1`, u.RID))
		if err != nil || len(kept) != 2 {
			t.Errorf("%d former passwords kept, %v; want 2 beside the present one", len(kept), err)
		}
		setPolicy(t, d, func(p *passwords.Policy) { p.Age.HistoryCount = 0 })
		set("fourth horse", "")
		if kept, err = column[string](d.DB.Query(t.Context(), `SELECT hash FROM password_history WHERE rid = $1`, u.RID)); err != nil || len(kept) != 0 {
			t.Errorf("%d former passwords kept without a history, %v", len(kept), err)
		}
	})
}

// What an imported hash was made of cannot come back either, and goes with its user.
func TestPasswordHistoryOfAnImportedHash(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		setPolicy(t, d, func(p *passwords.Policy) { p.Age.HistoryCount = 2 })
		u, err := d.CreateUser(t.Context(), manager, parseUser(t, d, `{"userName":"ana@example.com"}`), CreateOptions{PasswordHash: importable["LDAP"].Value})
		if err != nil {
			t.Fatal(err)
		}
		wantRule(t, "the same", d.ChangePassword(t.Context(), manager, u.ID, password, false), "historyCount")
		wantRule(t, "another", d.ChangePassword(t.Context(), manager, u.ID, "another horse", false), "")
		wantRule(t, "the former", d.ChangePassword(t.Context(), manager, u.ID, password, false), "historyCount")
		if err := d.DeleteUser(t.Context(), manager, u.ID, nil); err != nil {
			t.Fatal(err)
		}
		if kept, err := column[string](d.DB.Query(t.Context(), `SELECT hash FROM password_history`)); err != nil || len(kept) != 0 {
			t.Errorf("%d hashes of a deleted user, %v", len(kept), err)
		}
	})
}

func TestMinimumAge(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		start := time.Now()
		d.Now = func() time.Time { return start }
		setPolicy(t, d, func(p *passwords.Policy) { p.Age.MinAgeMinutes = 60 })
		u := mustCreateWithPassword(t, d, "ana@example.com")
		self := Change{Source: Source{Kind: SourceSelf}}
		d.Now = func() time.Time { return start.Add(59 * time.Minute) }
		wantRule(t, "by the person", d.SetPassword(t.Context(), self, u.ID, "second horse"), "minAgeMinutes")
		wantRule(t, "strict", d.ChangePassword(t.Context(), manager, u.ID, "second horse", true), "minAgeMinutes")
		_, err := d.EditUser(t.Context(), manager, u.ID, nil, ProfileEdit{Password: "second horse", Strict: true})
		wantRule(t, "strict edit", err, "minAgeMinutes")
		wantRule(t, "by an administrator", d.SetPassword(t.Context(), manager, u.ID, "second horse"), "")
		if _, err := d.ExpireToTemporary(t.Context(), manager, u.ID); err != nil {
			t.Fatal(err)
		}
		wantRule(t, "after a temporary one", d.ChangePassword(t.Context(), manager, u.ID, "third horse", true), "")
		d.Now = func() time.Time { return start.Add(2 * time.Hour) }
		wantRule(t, "later", d.SetPassword(t.Context(), self, u.ID, "fourth horse"), "")
	})
}

func TestMaximumAge(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		at := func(days int) { d.Now = func() time.Time { return start.AddDate(0, 0, days) } }
		at(0)
		setPolicy(t, d, func(p *passwords.Policy) { p.Age.MaxAgeDays, p.Age.ExpireWarnDays = 90, 5 })
		u := mustCreateWithPassword(t, d, "ana@example.com")
		at(84)
		if got, err := d.CheckPassword(t.Context(), "ana@example.com", password); err != nil || !got.PasswordExpires.IsZero() {
			t.Errorf("long before: %+v, %v", got, err)
		}
		at(86)
		if got, err := d.CheckPassword(t.Context(), "ana@example.com", password); err != nil || !got.PasswordExpires.Equal(start.AddDate(0, 0, 90)) {
			t.Errorf("shortly before: %+v, %v; want a warning", got, err)
		}
		at(90)
		if got, err := d.User(t.Context(), u.ID); err != nil || got.Status != Active {
			t.Errorf("before a sign-in: %v, %v; want ACTIVE", got.Status, err)
		}
		if _, err := d.CheckPassword(t.Context(), "ana@example.com", "wrong horse"); err != ErrCredentials { //nolint:errorlint // exactly it, nothing to tell apart
			t.Errorf("a wrong password: %v", err)
		}
		for range 2 {
			if _, err := d.CheckPassword(t.Context(), "ana@example.com", password); !errors.Is(err, ErrPasswordExpired) {
				t.Errorf("too old: %v, want ErrPasswordExpired", err)
			}
		}
		if got, err := d.User(t.Context(), u.ID); err != nil || got.Status != PasswordExpired {
			t.Errorf("after it: %v, %v", got.Status, err)
		}
		if got := eventTypes(t, d, u.ID); !slices.Contains(got, "user.account.expire_password") {
			t.Errorf("events %v", got)
		}
		if err := d.SetPassword(t.Context(), Change{Source: Source{Kind: SourceSelf}}, u.ID, "another horse"); err != nil {
			t.Fatal(err)
		}
		if _, err := d.CheckPassword(t.Context(), "ana@example.com", "another horse"); err != nil {
			t.Errorf("a new one: %v", err)
		}
	})
}

func TestLockoutSettings(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		start := time.Now()
		d.Now = func() time.Time { return start }
		wrong := func(login string, n int) {
			for range n {
				_, _ = d.CheckPassword(t.Context(), login, "wrong horse")
			}
		}
		status := func(u *User) Status {
			got, err := d.User(t.Context(), u.ID)
			if err != nil {
				t.Fatal(err)
			}
			return got.Status
		}
		never := mustCreateWithPassword(t, d, "never@example.com")
		setPolicy(t, d, func(p *passwords.Policy) { p.Lockout.MaxAttempts = 0 })
		wrong("never@example.com", passwords.MaxTries+2)
		if _, err := d.CheckPassword(t.Context(), "never@example.com", password); err != nil || status(never) != Active {
			t.Errorf("maxAttempts 0: %v, %s", err, status(never))
		}
		short := mustCreateWithPassword(t, d, "short@example.com")
		setPolicy(t, d, func(p *passwords.Policy) { p.Lockout.MaxAttempts, p.Lockout.AutoUnlockMinutes = 2, 0 })
		wrong("short@example.com", 3)
		d.Now = func() time.Time { return start.AddDate(1, 0, 0) }
		if _, err := d.CheckPassword(t.Context(), "short@example.com", password); !errors.Is(err, ErrCredentials) || status(short) != LockedOut {
			t.Errorf("autoUnlockMinutes 0, a year later: %v, %s", err, status(short))
		}
		if _, err := d.SetStatus(t.Context(), manager, short.ID, Unlock); err != nil {
			t.Fatal(err)
		}
		if _, err := d.CheckPassword(t.Context(), "short@example.com", password); err != nil {
			t.Errorf("after unlock: %v", err)
		}
		start = start.AddDate(2, 0, 0)
		d.Now = func() time.Time { return start }
		setPolicy(t, d, func(p *passwords.Policy) { p.Lockout.AutoUnlockMinutes = 2 })
		wrong("short@example.com", 3)
		d.Now = func() time.Time { return start.Add(time.Minute) }
		if _, err := d.CheckPassword(t.Context(), "short@example.com", password); !errors.Is(err, ErrCredentials) {
			t.Errorf("after one of two minutes: %v", err)
		}
		d.Now = func() time.Time { return start.Add(3 * time.Minute) }
		if _, err := d.CheckPassword(t.Context(), "short@example.com", password); err != nil || status(short) != Active {
			t.Errorf("after three: %v, %s", err, status(short))
		}
	})
}
