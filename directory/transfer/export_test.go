package transfer

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
)

// profiles are the profiles of all people by login, without what refers to others.
func profiles(t testing.TB, d *directory.Directory, without ...string) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	user, _ := d.Schemas().Type("User")
	check(t, d.DB.View(t.Context(), func(rd sqldb.Reader) error {
		return d.Walk(t.Context(), rd, "User", directory.WalkQuery{Passwords: true}, func(page []*directory.Stored) error {
			for _, s := range page {
				r, err := user.Decode(s.Doc)
				if err != nil {
					return err
				}
				p := r.Profile()
				p["status"], p["hash"] = s.Status, s.PasswordHash
				for _, name := range without {
					delete(p, name)
				}
				all[strings.ToLower(r.UserName())] = p
			}
			return nil
		})
	}))
	return all
}

// The profile of everybody survives CSV, whatever stands in it.
func TestCSVRoundTrip(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, another func() *directory.Directory) {
		populate(t, d)
		for _, o := range []ExportOptions{{}, {Comma: ";", Separator: "/", Passwords: true}} {
			path := exportFile(t, d, "people.csv.gz", o)
			copied := another()
			s := importFile(t, copied, Options{Path: path, Comma: o.Comma, Separator: o.Separator})
			if s.Created != 40 || s.Rejected != 0 {
				t.Errorf("summary %+v", s)
			}
			without := []string{"hash"}
			if o.Passwords {
				without = nil
			}
			if diff := cmp.Diff(profiles(t, d, without...), profiles(t, copied, without...)); diff != "" {
				t.Errorf("original (-) and copy (+):\n%s", diff)
			}
		}
		groups := exportFile(t, d, "groups.csv", ExportOptions{Types: []string{"group"}, Attributes: []string{"displayName", "members"}})
		if text := read(t, groups); !strings.Contains(text, `"Inner, ""quoted""",00u`) || strings.Contains(text, "Everyone") {
			t.Errorf("groups:\n%s", text)
		}
	})
}

// People, groups and hashes survive LDIF, as far as LDAP has names for them.
func TestLDIFRoundTrip(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, another func() *directory.Directory) {
		path := writeFile(t, "people.ldif", strings.Replace(people, "HASH", ssha("secret"), 1))
		importFile(t, d, Options{Path: path})
		text := read(t, exportFile(t, d, "all.ldif", ExportOptions{BaseDN: "dc=example,dc=com", Passwords: true}))
		for _, line := range []string{"dn: uid=ann@example.com,ou=people,dc=example,dc=com\n", "cn:: WsO2ZSBBbm4=\n", "mail: second@example.com\n",
			"manager: uid=bob@example.com,ou=people,dc=example,dc=com\n", "userPassword: {SSHA}", "member: cn=Board,ou=groups,dc=example,dc=com\n"} {
			if !strings.Contains(text, line) {
				t.Errorf("no %q in\n%s", line, text)
			}
		}
		copied := another()
		s := importFile(t, copied, Options{Path: writeFile(t, "again.ldif", text)})
		if s.Created != 4 || s.Rejected != 0 || s.Members != 4 || s.Skipped != 3 {
			t.Errorf("summary %+v", s)
		}
		if diff := cmp.Diff(profiles(t, d, "managerId", "email"), profiles(t, copied, "managerId", "email")); diff != "" {
			t.Errorf("original (-) and copy (+):\n%s", diff)
		}
		if p := userByLogin(t, copied, "bob@example.com"); p["managerId"] != mustLogin(t, copied, "ann@example.com").ID {
			t.Errorf("Bob: %v", p)
		}
		if _, err := copied.CheckPassword(t.Context(), "ann@example.com", "secret"); err != nil {
			t.Errorf("sign-in at the copy: %v", err)
		}
		if text := read(t, exportFile(t, d, "plain.ldif", ExportOptions{BaseDN: "dc=x"})); strings.Contains(text, "userPassword") {
			t.Error("hashes are exported without being asked for")
		}
	})
}

func TestLDIFPasswords(t *testing.T) {
	e := &ldifEncoder{ex: &exporter{notes: map[string]bool{}}}
	for hash, want := range map[string]string{
		"":                         "",
		"{SSHA}abc":                "{SSHA}abc",
		"$argon2id$v=19$m=1":       "{ARGON2}$argon2id$v=19$m=1",
		"$2b$10$abc":               "{CRYPT}$2b$10$abc",
		"$6$rounds=5000$salt$hash": "{CRYPT}$6$rounds=5000$salt$hash",
		"$pbkdf2-sha256$1$s$k":     "{PBKDF2-SHA256}1$s$k",
		"$pbkdf2$1$s$k":            "{PBKDF2}1$s$k",
		"$scrypt$ln=1$s$k":         "",
	} {
		if got := e.password(hash); got != want {
			t.Errorf("%s becomes %q, want %q", hash, got, want)
		}
	}
	if len(e.ex.notes) != 1 {
		t.Errorf("notes %v, want one on what was left out", e.ex.notes)
	}
}

func TestExportChooses(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, _ func() *directory.Directory) {
		populate(t, d)
		var out bytes.Buffer
		o := ExportOptions{Path: "-", Out: &out, Filter: `userName sw "üser1" and active eq false`, Attributes: []string{"userName", "active"}}
		s, err := Export(t.Context(), d, o)
		check(t, err)
		if s.Resources["User"] != 3 || strings.Count(out.String(), "\n") != 3 {
			t.Errorf("%v: %s", s.Resources, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if !strings.Contains(line, `"userName":"Üser1`) || strings.Contains(line, "emails") || strings.Contains(line, besideURN) {
				t.Errorf("line %s", line)
			}
		}
		for name, o := range map[string]ExportOptions{
			"a bad filter":         {Path: "-", Filter: `shoeSize eq 44`},
			"a filter on two":      {Path: "-", Types: []string{"User", "Group"}, Filter: `userName pr`},
			"no type":              {Path: "-", Types: []string{"Robot"}},
			"no format":            {Path: filepath.Join(t.TempDir(), "people.txt")},
			"csv of two types":     {Path: "-", Format: CSV, Types: []string{"User", "Group"}},
			"ldif without base":    {Path: "-", Format: LDIF},
			"ldif of devices":      {Path: "-", Format: LDIF, BaseDN: "dc=x", Types: []string{"Device"}},
			"no such column":       {Path: "-", Format: CSV, Attributes: []string{"shoeSize"}},
			"hashes as one column": {Path: "-", Format: CSV, Attributes: []string{"userName", "passwordHash"}},
			"a folder not there":   {Path: filepath.Join(t.TempDir(), "no", "people.csv")},
		} {
			o.Out = io.Discard
			if _, err := Export(t.Context(), d, o); err == nil {
				t.Errorf("%s is taken", name)
			}
		}
	})
}

// An export shows one moment: what is written while it runs is not in it. The file
// appears when it is whole, for its owner alone.
func TestExportIsOneMoment(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, _ func() *directory.Directory) {
		populate(t, d)
		before := contents(t, d)
		path := filepath.Join(t.TempDir(), "all.jsonl")
		changed := 0
		_, err := Export(t.Context(), d, ExportOptions{Path: path, Report: func(Progress) {
			if _, err := os.Stat(path); err == nil {
				t.Error("the file is there before it is whole")
			}
			changed++
			importFile(t, d, Options{Path: writeFile(t, "new.csv", "userName\nnew"+string(rune('a'+changed))+"@example.com\n")})
			for id := range before {
				if strings.HasPrefix(id, "00u") {
					delete(before, id)
					_ = d.DeleteUser(context.Background(), operator, id, nil) // it may be gone already
					break
				}
			}
		}})
		check(t, err)
		if text := read(t, path); strings.Contains(text, "newb@example.com") || strings.Count(text, "\n") != 45 || changed < 2 {
			t.Errorf("%d lines after %d changes", strings.Count(text, "\n"), changed)
		}
		info, err := os.Stat(path)
		check(t, err)
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".all*")); info.Mode().Perm() != 0o600 || len(left) > 0 {
			t.Errorf("mode %o, left %v", info.Mode().Perm(), left)
		}
	})
}

func TestGzipByName(t *testing.T) {
	d := openDirectory(t, sqldbFor(t))
	populate(t, d)
	f, err := os.Open(exportFile(t, d, "all.jsonl.GZ", ExportOptions{}))
	check(t, err)
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	check(t, err)
	if text, err := io.ReadAll(z); err != nil || !bytes.HasPrefix(text, []byte(`{"schemas"`)) {
		t.Errorf("%.20q, %v", text, err)
	}
}
