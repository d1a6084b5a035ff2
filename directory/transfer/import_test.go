package transfer

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
)

func userByLogin(t testing.TB, d *directory.Directory, login string) map[string]any {
	t.Helper()
	u, err := d.UserByLogin(t.Context(), login)
	if err != nil {
		t.Fatalf("%s: %v", login, err)
	}
	p, err := d.Profile(u)
	check(t, err)
	return p
}

// rows counts the rows of every table that an import may write.
func rows(t testing.TB, d *directory.Directory) string {
	t.Helper()
	var all []string
	for _, table := range []string{"resources", "documents", "attribute_values", "unique_values", "external_ids", "members", "nested_groups",
		"passwords", "events", "attribute_sources", "totals", "data_imports", "data_import_refs", "data_import_rejects"} {
		var n int
		check(t, d.DB.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
		all = append(all, fmt.Sprint(table, " ", n))
	}
	return strings.Join(all, "\n")
}

// The planner of PostgreSQL knows what an import has brought when it ends.
func TestImportLeavesStatistics(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, _ func() *directory.Directory) {
		if d.DB.Dialect() != sqldb.PostgreSQL {
			return // SQLite plans without
		}
		var b strings.Builder
		b.WriteString("userName\n")
		for i := range manyRows {
			fmt.Fprintf(&b, "user%d@example.com\n", i)
		}
		importFile(t, d, Options{Path: writeFile(t, "people.csv", b.String())})
		var known int
		check(t, d.DB.QueryRow(t.Context(), `SELECT count(DISTINCT tablename) FROM pg_stats WHERE schemaname = current_schema()
			AND tablename IN ('resources', 'documents', 'unique_values', 'members')`).Scan(&known))
		if known != 4 {
			t.Errorf("statistics of %d tables, want of 4", known)
		}
	})
}

// Bad rows go to the reject file, with their line and the reason, and the others are
// imported. Mended, the reject file can be imported itself.
func TestCSVRejects(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, _ func() *directory.Directory) {
		importFile(t, d, Options{Path: writeFile(t, "first.csv", "userName\ntaken@example.com\n")})
		path := writeFile(t, "people.csv", "userName,firstName,email,level,badge\r\n"+
			"good@example.com,\"Zoë, \"\"Z\"\"\",good@example.com,3,B1\r\n"+
			"\"TAKEN@example.com\",x,,,\r\n"+
			"bad@example.com,x,no address,,\r\n"+
			"number@example.com,x,,three,\r\n"+
			"short@example.com,x\r\n"+
			"quote@example.com,x\"y,,,\r\n"+
			"\xff@example.com,x,,,\r\n"+
			"nul@example.com,a\x00b,,,\r\n"+
			",x,,,\r\n"+
			"again@example.com,x,,,\r\nAgain@example.com,y,,,\r\n"+
			"badge@example.com,x,,,b1\r\n")
		s := importFile(t, d, Options{Path: path, batch: 3})
		if s.Records != 12 || s.Created != 2 || s.Rejected != 10 {
			t.Errorf("summary %+v", s)
		}
		want := "userName,firstName,email,level,badge,_line,_reason\r\n" +
			"TAKEN@example.com,x,,,,3,userName: an object with this field already exists\r\n" +
			"bad@example.com,x,no address,,,4,\"attribute \"\"email\"\": want an e-mail address, got \"\"no address\"\"\"\r\n" +
			"number@example.com,x,,three,,5,\"attribute \"\"level\"\": want integer, got string\"\r\n" +
			",,,,,6,\"the row has 2 fields, and the first row has 5\"\r\n" +
			",,,,,7,\"a quote in field 2, which does not begin with one\"\r\n" +
			"\xff@example.com,x,,,,8,userName: the text is not valid UTF-8\r\n" +
			"nul@example.com,a\x00b,,,,9,\"attribute \"\"firstName\"\": the string is not valid UTF-8, or has a NUL\"\r\n" +
			",x,,,,10,\"attribute \"\"userName\"\": it is required and missing\"\r\n" +
			"Again@example.com,y,,,,12,userName: an object with this field already exists\r\n" +
			"badge@example.com,x,,,b1,13,urn:provost:params:scim:schemas:extension:org:2.0:User:badge: an object with this field already exists\r\n"
		if diff := cmp.Diff(want, read(t, s.Rejects)); diff != "" {
			t.Errorf("reject file (-want +got):\n%s", diff)
		}
		if p := userByLogin(t, d, "good@example.com"); p["firstName"] != `Zoë, "Z"` || p["level"] != int64(3) {
			t.Errorf("profile %v", p)
		}
		info, err := os.Stat(s.Rejects)
		check(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("the reject file has mode %o", info.Mode().Perm())
		}
		mended := writeFile(t, "mended.csv", "userName,firstName,email,level,badge,_line,_reason\r\nmended@example.com,x,m@example.com,4,,4,because\r\n")
		if s := importFile(t, d, Options{Path: mended}); s.Created != 1 || s.Rejected != 0 || s.Rejects != "" {
			t.Errorf("mended: %+v", s)
		}
	})
}

func TestCSVHeader(t *testing.T) {
	d := openDirectory(t, sqldbFor(t))
	for name, test := range map[string]struct {
		in   string
		o    Options
		want string
	}{
		"empty":          {in: "", want: "the file is empty"},
		"unknown":        {in: "userName,shoeSize,hat\n", want: `line 1: no attribute for "shoeSize"`},
		"duplicate":      {in: "userName,title,title\n", want: `line 1: there are two columns "title"`},
		"same twice":     {in: "userName,firstName,FIRSTNAME\n", want: `columns "firstName" and "FIRSTNAME" are the same attribute`},
		"mapped twice":   {in: "userName,a,b\n", o: Options{Map: map[string]string{"a": "title", "b": "title"}}, want: `columns "a" and "b" are the same attribute`},
		"no name":        {in: "userName,,title\n", want: "line 1: column 2 has no name"},
		"not UTF-8":      {in: "userName,\xff\n", want: "line 1: the name of column 2 is not valid UTF-8"},
		"read-only":      {in: "userName,meta.created\n", want: `no attribute for "meta.created"`},
		"nothing to map": {in: "userName\n", o: Options{Map: map[string]string{"x": "title"}}, want: `there is no column "x" to map`},
		"unclosed":       {in: "userName\n\"a,b\nc\n", want: "line 2: field 1 begins with a quote that is not closed"},
		"type":           {in: "x\n", o: Options{Type: "Robot"}, want: `type "Robot": no schema has it`},
		"mode":           {in: "x\n", o: Options{Mode: "merge"}, want: `mode "merge": want create or upsert`},
		"match by mail":  {in: "x\n", o: Options{Mode: Upsert, Match: "email"}, want: `match "email": want`},
		"delimiter":      {in: "x\n", o: Options{Comma: "::"}, want: `delimiter "::": want one character`},
		"encoding":       {in: "x\n", o: Options{Encoding: "klingon"}, want: `encoding "klingon" is not known`},
	} {
		t.Run(name, func(t *testing.T) {
			test.o.Path = writeFile(t, "people.csv", test.in)
			_, err := Import(t.Context(), d, operator, test.o)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := Import(t.Context(), d, operator, Options{Path: t.TempDir() + "/people.csv"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Import(t.Context(), d, operator, Options{Path: t.TempDir(), Format: CSV}); err == nil {
		t.Error("a folder is taken for a file")
	}
}

func sqldbFor(t *testing.T) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{Path: filepath.Join(t.TempDir(), "provost.db")})
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Columns of other names, other encodings, several values in a field, everything that
// is no attribute of the profile.
func TestCSVColumns(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, _ func() *directory.Directory) {
		group := importFile(t, d, Options{Path: writeFile(t, "groups.csv", "displayName\nStaff\n"), Type: "Group"})
		if group.Created != 1 {
			t.Fatalf("%+v", group)
		}
		staff, err := d.FindGroups(t.Context(), "", directory.ByName, []string{"staff"})
		check(t, err)
		text := "Anmeldename;Vorname;Fertigkeiten;Egal;status;passwordHash;groups;emails[type eq home].value;externalId\n" +
			"j\xfcrgen@example.com;J\xfcrgen;go/a\\/b;x;SUSPENDED;" + ssha("secret") + ";" + staff[0].ID + ";j@home.example;x1\n" +
			"u@example.com;U;;x;;{SSHA}AAAA;;;\n" +
			"v@example.com;V;;x;ASLEEP;;;;\n" +
			"w@example.com;W;;x;;;00gnobody;;\n"
		s := importFile(t, d, Options{
			Path: writeFile(t, "leute.csv", text), Comma: ";", Separator: "/", Encoding: "windows-1252", Client: "00Tclient",
			Map: map[string]string{"Anmeldename": "userName", "Vorname": "firstName", "Fertigkeiten": "skills", "Egal": Ignore},
		})
		if s.Created != 1 || s.Rejected != 3 {
			t.Errorf("summary %+v: %s", s, read(t, s.Rejects))
		}
		rejected := read(t, s.Rejects)
		for _, reason := range []string{"password.hash.value", `""ASLEEP"" is no status`, "join group 00gnobody: not found"} {
			if !strings.Contains(rejected, reason) {
				t.Errorf("no %q among the rejects:\n%s", reason, rejected)
			}
		}
		u, err := d.UserByLogin(t.Context(), "jürgen@example.com")
		check(t, err)
		p, err := d.Profile(u)
		check(t, err)
		if diff := cmp.Diff(map[string]any{"login": "jürgen@example.com", "firstName": "Jürgen", "email": "j@home.example", "skills": []any{"go", "a/b"}}, p); diff != "" {
			t.Errorf("profile (-want +got):\n%s", diff)
		}
		if u.Status != directory.Suspended || !u.HasPassword || !strings.Contains(string(u.Doc), "j@home.example") {
			t.Errorf("user %+v", u)
		}
		if shown, err := d.ShownUser(t.Context(), u.ID, "00Tclient"); err != nil || shown.ExternalID != "x1" {
			t.Errorf("external ID %v, %v", shown, err)
		}
		members, _, err := d.Members(t.Context(), staff[0].ID, "", 10)
		if err != nil || len(members) != 1 || members[0].ID != u.ID {
			t.Errorf("members %v, %v", members, err)
		}
		utf16 := "\xff\xfeu\x00s\x00e\x00r\x00N\x00a\x00m\x00e\x00\n\x00\xe9\x00@\x00x\x00.\x00t\x00e\x00s\x00t\x00\n\x00"
		if s := importFile(t, d, Options{Path: writeFile(t, "utf16.csv", utf16)}); s.Created != 1 {
			t.Errorf("UTF-16: %+v", s)
		}
		userByLogin(t, d, "é@x.test")
		if s := importFile(t, d, Options{Path: writeFile(t, "bom.csv", "\xef\xbb\xbfuserName\nbom@example.com\n")}); s.Created != 1 {
			t.Errorf("UTF-8 with a mark: %+v", s)
		}
	})
}

// An Upsert changes what the file says and leaves the rest; who is there is found by
// the login or the external ID, and never by an e-mail address.
func TestUpsert(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, _ func() *directory.Directory) {
		importFile(t, d, Options{Path: writeFile(t, "a.csv", "userName,externalId,firstName,title,email,\"emails[type eq \"\"home\"\"].value\"\n"+
			"ann@example.com,x1,Ann,Boss,shared@example.com,ann@home.example\nbob@example.com,x2,Bob,,bob@example.com,\n")})
		second := writeFile(t, "b.csv", "userName,firstName,title,email\n"+
			"ANN@example.com,Anne,,shared@example.com\nbob@example.com,Bob,,bob@example.com\ncyd@example.com,Cyd,,shared@example.com\nbob@example.com,Rob,,\n")
		s := importFile(t, d, Options{Path: second, Mode: Upsert})
		if s.Created != 1 || s.Updated != 1 || s.Unchanged != 1 || s.Rejected != 1 || !strings.Contains(read(t, s.Rejects), "line 3 has the same userName") {
			t.Errorf("summary %+v", s)
		}
		if p := userByLogin(t, d, "ann@example.com"); p["firstName"] != "Anne" || p["title"] != "Boss" || p["login"] != "ANN@example.com" {
			t.Errorf("Ann: %v", p)
		}
		if p := userByLogin(t, d, "bob@example.com"); p["firstName"] != "Bob" {
			t.Errorf("Bob: %v", p)
		}
		s = importFile(t, d, Options{Path: writeFile(t, "c.csv", "userName,title\nann@example.com,\n"), Mode: Upsert, ClearEmpty: true})
		if p := userByLogin(t, d, "ann@example.com"); s.Updated != 1 || p["title"] != nil {
			t.Errorf("cleared: %+v, %v", s, p)
		}
		// The login changes when the external ID finds the user.
		s = importFile(t, d, Options{Path: writeFile(t, "d.csv", "externalId,userName,active\nx2,robert@example.com,false\nx3,new@example.com,true\n,none@example.com,true\n"),
			Mode: Upsert, Match: directory.ByExternalID})
		if s.Updated != 1 || s.Created != 1 || s.Rejected != 1 {
			t.Errorf("by external ID: %+v", s)
		}
		if u, err := d.UserByLogin(t.Context(), "robert@example.com"); err != nil || u.Status != directory.Deprovisioned {
			t.Errorf("Robert: %+v, %v", u, err)
		}
		w, err := d.Why(t.Context(), mustLogin(t, d, "ann@example.com").ID, "firstName")
		if err != nil || w.Source.Kind != directory.SourceFile || !strings.HasPrefix(w.Source.ID, "ij1") {
			t.Errorf("why: %+v, %v", w, err)
		}
		taken := importFile(t, d, Options{Path: writeFile(t, "e.csv", "externalId,userName\nx3,ann@example.com\n"), Mode: Upsert, Match: directory.ByExternalID})
		if taken.Rejected != 1 || !strings.Contains(read(t, taken.Rejects), "userName: an object with this field already exists") {
			t.Errorf("a login that somebody has: %+v", taken)
		}
	})
}

func mustLogin(t testing.TB, d *directory.Directory, login string) *directory.User {
	t.Helper()
	u, err := d.UserByLogin(t.Context(), login)
	check(t, err)
	return u
}

// A dry run counts what the import does, and writes nothing.
func TestDryRun(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, _ func() *directory.Directory) {
		importFile(t, d, Options{Path: writeFile(t, "first.csv", "userName,title\nold@example.com,Boss\nsame@example.com,Clerk\n")})
		before := rows(t, d)
		path := writeFile(t, "people.csv", "userName,title,badge,managerId\nold@example.com,Chief,,\nsame@example.com,Clerk,,\nnew@example.com,,B1,later@example.com\n"+
			"other@example.com,,b1,\nbad@example.com,"+strings.Repeat("x", 3000)+",,\nNEW@example.com,,,\nlater@example.com,,,\n")
		for _, mode := range []string{Create, Upsert} {
			dry := importFile(t, d, Options{Path: path, Mode: mode, DryRun: true, batch: 2, Rejects: filepath.Join(t.TempDir(), "dry.csv")})
			if after := rows(t, d); after != before {
				t.Errorf("a dry run writes:\n%s", cmp.Diff(before, after))
			}
			if dry.ID != "" || !dry.DryRun || dry.Rejected == 0 || read(t, dry.Rejects) == "" {
				t.Errorf("dry run: %+v", dry)
			}
			if mode == Create {
				if dry.Created != 2 || dry.Rejected != 5 {
					t.Errorf("create: %+v", dry)
				}
				continue
			}
			real := importFile(t, d, Options{Path: path, Mode: mode, batch: 2})
			if diff := cmp.Diff(real.Counts, dry.Counts); diff != "" {
				t.Errorf("import (-) and dry run (+):\n%s", diff)
			}
		}
	})
}

// The members of Administrators are changed by no import, unless the operator says so.
func TestAdministratorsAreLeftAlone(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, another func() *directory.Directory) {
		importFile(t, d, Options{Path: writeFile(t, "a.csv", "userName\nann@example.com\n")})
		ann := mustLogin(t, d, "ann@example.com")
		manager := operator
		manager.Manage = true
		check(t, d.AddMember(t.Context(), manager, d.AdministratorsID(), ann.ID))
		path := exportFile(t, d, "all.jsonl", ExportOptions{})
		for _, allowed := range []bool{false, true} {
			copied := another()
			s := importFile(t, copied, Options{Path: path, Administrators: allowed})
			is, err := copied.IsAdministrator(t.Context(), ann.ID)
			if err != nil || is != allowed || s.Rejected != 0 || len(s.Notes) == 1 == allowed {
				t.Errorf("allowed %v: administrator %v, %v, %+v", allowed, is, err, s)
			}
		}
		for name, text := range map[string]string{
			"a.ldif":  "dn: cn=Administrators,dc=x\nobjectClass: groupOfNames\ncn: Administrators\nmember: uid=eve,dc=x\n\ndn: uid=eve,dc=x\nobjectClass: inetOrgPerson\nuid: eve\nmail: eve@example.com\n",
			"a.jsonl": `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Administrators","members":[{"value":"` + ann.ID + `"}]}` + "\n",
			"b.jsonl": `{"schemas":["` + membersURN + `"],"id":"` + d.AdministratorsID() + `","members":[{"value":"` + ann.ID + `"}]}` + "\n",
			"c.csv":   "userName,groups\neve2@example.com," + d.AdministratorsID() + "\n",
		} {
			for _, mode := range []string{Create, Upsert} {
				before, _, err := d.Members(t.Context(), d.AdministratorsID(), "", 10)
				check(t, err)
				s := importFile(t, d, Options{Path: writeFile(t, name, text), Mode: mode})
				after, _, err := d.Members(t.Context(), d.AdministratorsID(), "", 10)
				check(t, err)
				if len(after) != len(before) || s.Rejected+s.Skipped == 0 {
					t.Errorf("%s, %s: %d members, then %d; %+v", name, mode, len(before), len(after), s)
				}
			}
		}
	})
}

// A packed file that unpacks to far more than it is, is read within the same bounds.
func TestPackedBomb(t *testing.T) {
	d := openDirectory(t, sqldbFor(t))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	zeros := make([]byte, 1<<20)
	for range 64 {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	check(t, z.Close())
	for _, name := range []string{"bomb.csv.gz", "bomb.ldif.gz", "bomb.jsonl.gz"} {
		_, err := Import(t.Context(), d, operator, Options{Path: writeFile(t, name, packed.String())})
		if err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := packed.String()[:packed.Len()-8]
	if _, err := Import(t.Context(), d, operator, Options{Path: writeFile(t, "broken.jsonl.gz", broken)}); err == nil {
		t.Error("a packed file without its end is taken")
	}
}
