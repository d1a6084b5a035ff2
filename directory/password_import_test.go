package directory

import (
	"errors"
	"strings"
	"testing"

	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

const (
	salt1234 = "c2FsdDEyMzQ="
	salt16   = "MDEyMzQ1Njc4OWFiY2RlZg=="
)

// importable are hashes of password in the forms of the contract.
var importable = map[string]passwords.Imported{
	"BCRYPT":          {Algorithm: "BCRYPT", WorkFactor: 5, Salt: "abcdefghijklmnopqrstuu", Value: "HNbAKRhpaujgo33bRWs.NLUTJO3lOy2"},
	"BCRYPT, whole":   {Algorithm: "BCRYPT", Value: "$2a$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"},
	"SHA-512 PREFIX":  {Algorithm: "SHA-512", Salt: salt1234, SaltOrder: "PREFIX", Value: "Fz6Ikx0UNtmY+p3hwCuBzK7SX/hum7lCRTHPUSwu/u+Tpv5hA+WuBaqhaxq86+jZAGIOo7KSyBYeYAZ51cjQ+g=="},
	"SHA-512 POSTFIX": {Algorithm: "SHA-512", Salt: salt1234, SaltOrder: "POSTFIX", Value: "foa0o5b0ZNtnD4d7mkHNhvOYnvv07lgQLIiqhLd1FEa5XsTVUbPtF47ABIGbnQq2Ah1uFh4t800l1g7N4YIQhw=="},
	"SHA-512":         {Algorithm: "SHA-512", Value: "VraY3v7bWkNbY0r+MyC7rz/c2SC2xQOkRvx7endrKY1HnRumqLYXgI6wv1ec6aldZoNHvKtxSQhayTyyeZUZew=="},
	"SHA-256 PREFIX":  {Algorithm: "SHA-256", Salt: salt1234, SaltOrder: "PREFIX", Value: "K4LFedLUFH5ldmMnupMd1LeX8XmmW5l8jekWj6xqm5c="},
	"SHA-256 POSTFIX": {Algorithm: "SHA-256", Salt: salt1234, SaltOrder: "POSTFIX", Value: "LBWHKVk8AqLFDGjNCFn++x9EnLelCHLkEmBsFi2U3AI="},
	"SHA-1 PREFIX":    {Algorithm: "SHA-1", Salt: salt1234, SaltOrder: "PREFIX", Value: "c5+J+ZWpm3JJcW1BB0FUbKgDvdA="},
	"SHA-1 POSTFIX":   {Algorithm: "SHA-1", Salt: salt1234, SaltOrder: "POSTFIX", Value: "K0MZxWoMPVRxegoJBeg1/wEGvbo="},
	"MD5 PREFIX":      {Algorithm: "MD5", Salt: salt1234, SaltOrder: "PREFIX", Value: "YejMILjucHMQEJuhlHAqJw=="},
	"MD5 POSTFIX":     {Algorithm: "MD5", Salt: salt1234, SaltOrder: "POSTFIX", Value: "xO6uPl93NAYSG+7+PGvwdw=="},
	"MD5":             {Algorithm: "MD5", Value: "PLTnMmMfR+brlh80VUt83g"},
	"PBKDF2 SHA-1": {Algorithm: "PBKDF2", DigestAlgorithm: "SHA1_HMAC", IterationCount: 4096, KeySize: 20, Salt: salt16,
		Value: "XcV2tynkPK+jvcIt5gvAiOL0J2c="},
	"PBKDF2 SHA-256": {Algorithm: "PBKDF2", DigestAlgorithm: "SHA256_HMAC", IterationCount: 4096, KeySize: 32, Salt: salt16,
		Value: "L47unUuuz53ZGjvyxdG9n7fm071wLR1awArcH/V68jg="},
	"PBKDF2 SHA-512": {Algorithm: "PBKDF2", DigestAlgorithm: "SHA512_HMAC", IterationCount: 4096, Salt: salt16,
		Value: "Fhi8Fi2FB5gd7O3wyhppX5w66WiVxFChCNQnXGhoYm1L+YVyN32B6Xr8IoeBuprS0JRiv6/hV+p8eJOF/z5jbQ=="},
	"SCRYPT":    {Algorithm: "SCRYPT", Value: "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M"},
	"SHA-CRYPT": {Algorithm: "SHA-CRYPT", Value: "$5$rounds=1000$saltstring$95Bg/RfV2QriLpMdLPHK9el0Ighm6E3CBqMKzZKgCa2"},
	"LDAP":      {Algorithm: "LDAP", Value: "{SSHA}K0MZxWoMPVRxegoJBeg1/wEGvbpzYWx0MTIzNA=="},
}

// An imported hash is kept as it came, opens the account, and is one of ours from then on.
func TestImportedHashSignsIn(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		n := 0
		for name, h := range importable {
			n++
			login := string(rune('a'+n)) + "@example.com"
			encoded, err := d.EncodeHash(h)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			u, err := d.CreateUser(t.Context(), manager, parseUser(t, d, `{"userName":"`+login+`"}`), CreateOptions{PasswordHash: encoded})
			if err != nil || u.Status != Active || !u.HasPassword {
				t.Fatalf("%s: created %+v, %v", name, u, err)
			}
			if _, err := d.CheckPassword(t.Context(), login, "wrong horse"); err != ErrCredentials { //nolint:errorlint // exactly it, nothing to tell apart
				t.Errorf("%s: a wrong password: %v, want ErrCredentials", name, err)
			}
			if hash, err := d.passwordHash(t.Context(), u.RID); err != nil || hash != encoded {
				t.Errorf("%s: stored as %q, %v; want %q", name, hash, err, encoded)
			}
			before, err := d.User(t.Context(), u.ID)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := d.CheckPassword(t.Context(), login, password); err != nil {
					t.Errorf("%s: the password: %v", name, err)
				}
			}
			hash, err := d.passwordHash(t.Context(), u.RID)
			if err != nil || !passwords.Own(hash) {
				t.Errorf("%s: after sign-in stored as %q, %v", name, hash, err)
			}
			after, err := d.User(t.Context(), u.ID)
			if err != nil || after.Version != before.Version || !after.PasswordChanged.Equal(before.PasswordChanged) {
				t.Errorf("%s: rehashing counts as a change: %+v, %v", name, after, err)
			}
		}
		bodies, err := column[string](d.DB.Query(t.Context(), `SELECT body FROM events`))
		if err != nil || len(bodies) < len(importable) {
			t.Fatalf("%d events, %v", len(bodies), err)
		}
		for _, body := range bodies {
			for name, h := range importable {
				if strings.Contains(body, h.Value) || strings.Contains(body, "$argon2") {
					t.Errorf("%s: event holds a hash: %s", name, body)
				}
			}
		}
	})
}

func TestImportedHashRefused(t *testing.T) {
	d := openDirectory(t, sqldbtest.SQLite(t))
	with := func(name string, change func(*passwords.Imported)) passwords.Imported {
		h := importable[name]
		change(&h)
		return h
	}
	for name, c := range map[string]struct {
		hash   passwords.Imported
		member string
	}{
		"no algorithm":      {with("MD5", func(h *passwords.Imported) { h.Algorithm = "" }), "algorithm"},
		"unknown algorithm": {with("MD5", func(h *passwords.Imported) { h.Algorithm = "ROT13" }), "algorithm"},
		"no value":          {with("MD5", func(h *passwords.Imported) { h.Value = "" }), "value"},
		"hex":               {with("SHA-256 PREFIX", func(h *passwords.Imported) { h.Value = strings.Repeat("0a", 32) }), "value"},
		"no Base64":         {with("MD5", func(h *passwords.Imported) { h.Value = "%%%" }), "value"},
		"other algorithm":   {with("SHA-1 PREFIX", func(h *passwords.Imported) { h.Algorithm = "SHA-256" }), "value"},
		"salt, no order":    {with("MD5 PREFIX", func(h *passwords.Imported) { h.SaltOrder = "" }), "saltOrder"},
		"order, no salt":    {with("MD5 PREFIX", func(h *passwords.Imported) { h.Salt = "" }), "saltOrder"},
		"order unknown":     {with("MD5 PREFIX", func(h *passwords.Imported) { h.SaltOrder = "MIDDLE" }), "saltOrder"},
		"long salt":         {with("MD5 PREFIX", func(h *passwords.Imported) { h.Salt = strings.Repeat("A", 120) }), "salt"},
		"salt no Base64":    {with("MD5 PREFIX", func(h *passwords.Imported) { h.Salt = "\n" }), "salt"},
		"work factor":       {with("BCRYPT", func(h *passwords.Imported) { h.WorkFactor = 20 }), "workFactor"},
		"no work factor":    {with("BCRYPT", func(h *passwords.Imported) { h.WorkFactor = 0 }), "workFactor"},
		"bcrypt salt":       {with("BCRYPT", func(h *passwords.Imported) { h.Salt = "short" }), "salt"},
		"bcrypt value":      {with("BCRYPT", func(h *passwords.Imported) { h.Value = strings.Repeat("!", 31) }), "value"},
		"foreign member":    {with("BCRYPT", func(h *passwords.Imported) { h.SaltOrder = "PREFIX" }), "saltOrder"},
		"whole and salt":    {with("BCRYPT, whole", func(h *passwords.Imported) { h.Salt = "abcdefghijklmnopqrstuu" }), "salt"},
		"whole, too much":   {with("BCRYPT, whole", func(h *passwords.Imported) { h.Value = strings.Replace(h.Value, "$05$", "$31$", 1) }), "value"},
		"few iterations":    {with("PBKDF2 SHA-256", func(h *passwords.Imported) { h.IterationCount = 1000 }), "iterationCount"},
		"many iterations":   {with("PBKDF2 SHA-256", func(h *passwords.Imported) { h.IterationCount = 1 << 30 }), "iterationCount"},
		"many in blocks": {with("PBKDF2 SHA-256", func(h *passwords.Imported) {
			h.IterationCount, h.KeySize, h.Value = 1_400_000, 64, strings.Repeat("A", 86)
		}), "iterationCount"},
		"key size":         {with("PBKDF2 SHA-256", func(h *passwords.Imported) { h.KeySize = 64 }), "keySize"},
		"key too long":     {with("PBKDF2 SHA-256", func(h *passwords.Imported) { h.KeySize, h.Value = 0, strings.Repeat("A", 200) }), "value"},
		"no salt":          {with("PBKDF2 SHA-256", func(h *passwords.Imported) { h.Salt = "" }), "salt"},
		"digest":           {with("PBKDF2 SHA-256", func(h *passwords.Imported) { h.DigestAlgorithm = "MD5_HMAC" }), "digestAlgorithm"},
		"no whole hash":    {passwords.Imported{Algorithm: "ARGON2", Value: "abc"}, "value"},
		"another's prefix": {passwords.Imported{Algorithm: "ARGON2", Value: importable["SCRYPT"].Value}, "value"},
	} {
		var invalid *schemas.Error
		if _, err := d.EncodeHash(c.hash); !errors.As(err, &invalid) || invalid.Path != "password.hash."+c.member {
			t.Errorf("%s: %v, want an error of %s", name, err, c.member)
		}
	}
	r := parseUser(t, d, `{"userName":"ana@example.com"}`)
	if _, err := d.CreateUser(t.Context(), manager, r, CreateOptions{PasswordHash: "$2b$31$abc"}); err == nil {
		t.Error("a hash that nobody checked was stored")
	}
}

// A hash comes with a user who is not active yet, and never overwrites a password.
func TestHashOnlyWhileStaged(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		hash := importable["LDAP"].Value
		for _, status := range []Status{Staged, Provisioned, Active, Recovery, PasswordExpired, LockedOut, Suspended, Deprovisioned} {
			r := parseUser(t, d, `{"userName":"`+string(status)+`@example.com"}`)
			u, err := d.CreateUser(t.Context(), manager, r, CreateOptions{Status: status})
			if err != nil {
				t.Fatal(err)
			}
			_, err = d.EditUser(t.Context(), manager, u.ID, nil, ProfileEdit{PasswordHash: hash})
			if allowed := status == Staged; allowed != (err == nil) || !allowed && !errors.Is(err, ErrTransition) {
				t.Errorf("%s: %v", status, err)
			}
			if stored, err := d.passwordHash(t.Context(), u.RID); err != nil || (stored == hash) != (status == Staged) {
				t.Errorf("%s: stored %q, %v", status, stored, err)
			}
		}
	})
}

// A change of the password while the old one is being rehashed wins.
func TestRehashLosesToAChange(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		old := importable["LDAP"].Value
		u, err := d.CreateUser(t.Context(), manager, parseUser(t, d, `{"userName":"ana@example.com"}`), CreateOptions{PasswordHash: old})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.SetPassword(t.Context(), manager, u.ID, "another horse"); err != nil {
			t.Fatal(err)
		}
		d.rehash(t.Context(), u, old, password)
		if _, err := d.CheckPassword(t.Context(), "ana@example.com", password); !errors.Is(err, ErrCredentials) {
			t.Errorf("the old password: %v, want ErrCredentials", err)
		}
		if _, err := d.CheckPassword(t.Context(), "ana@example.com", "another horse"); err != nil {
			t.Errorf("the new password: %v", err)
		}
	})
}

// ADV-41: among users with hashes from elsewhere, which cost something else than ours,
// a login that nobody has costs what some user's does.
func TestADV41_DecoyIsAUsersHash(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		if got, err := d.decoyHash(t.Context(), d.triesKey("nobody")); err != nil || got != passwords.Decoy {
			t.Errorf("in an empty directory: %q, %v", got, err)
		}
		all := map[string]bool{}
		for _, name := range []string{"BCRYPT, whole", "SCRYPT", "LDAP", "SHA-CRYPT"} {
			r := parseUser(t, d, `{"userName":"`+strings.ToLower(name[:4])+`@example.com"}`)
			if _, err := d.CreateUser(t.Context(), manager, r, CreateOptions{PasswordHash: importable[name].Value}); err != nil {
				t.Fatal(err)
			}
			all[importable[name].Value] = true
		}
		picked := map[string]bool{}
		for i := range 64 {
			account := d.triesKey("nobody" + string(rune('0'+i)))
			first, err := d.decoyHash(t.Context(), account)
			if err != nil {
				t.Fatal(err)
			}
			if second, err := d.decoyHash(t.Context(), account); err != nil || second != first {
				t.Errorf("the second try picked another hash: %v", err)
			}
			picked[first] = true
		}
		for hash := range picked {
			if !all[hash] {
				t.Errorf("%q is no user's hash", hash)
			}
		}
		if len(picked) < 2 {
			t.Errorf("all unknown logins share one hash")
		}
		// The password of the hash that is compared opens nothing.
		for i := range 12 {
			if _, err := d.CheckPassword(t.Context(), "nobody"+string(rune('0'+i))+"@example.com", password); !errors.Is(err, ErrCredentials) {
				t.Errorf("an unknown login: %v", err)
			}
		}
		mustCreate(t, d, `{"userName":"none@example.com"}`)
		if _, err := d.CheckPassword(t.Context(), "none@example.com", password); !errors.Is(err, ErrCredentials) {
			t.Errorf("a user without a password: %v", err)
		}
	})
}
