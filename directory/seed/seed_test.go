package seed

import (
	"context"
	"crypto/rand"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

func openDirectory(t *testing.T, db *sqldb.DB) *directory.Directory {
	t.Helper()
	master := make([]byte, keyring.KeySize)
	_, _ = rand.Read(master)
	keys, err := keyring.New(master)
	if err != nil {
		t.Fatal(err)
	}
	d, err := directory.New(context.Background(), db, keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func fill(t *testing.T, d *directory.Directory, o Options) *Result {
	t.Helper()
	r, err := Fill(t.Context(), d, directory.Change{Actor: events.System}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// dump is every person with its ID and times, and every group with its members.
func dump(t *testing.T, d *directory.Directory) []string {
	t.Helper()
	var all []string
	err := d.DB.View(t.Context(), func(rd sqldb.Reader) error {
		for _, typ := range []string{"User", "Group"} {
			err := d.Walk(t.Context(), rd, typ, directory.WalkQuery{}, func(page []*directory.Stored) error {
				for _, s := range page {
					if s.ID == d.EveryoneID() || s.ID == d.AdministratorsID() {
						continue
					}
					text := s.ID + " " + s.Status + " " + s.Created.String() + " " + s.StatusChanged.String() + " " + string(s.Doc)
					if typ == "Group" {
						text = s.ID + " " + string(s.Doc)
						if err := d.WalkMembers(t.Context(), rd, s.RID, func(members []*directory.StoredMember) error {
							for _, m := range members {
								text += " " + m.ID
							}
							return nil
						}); err != nil {
							return err
						}
					}
					all = append(all, text)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The same seed makes the same people and groups, anywhere; another makes others. Who
// is there stays, so that a run can be begun again.
func TestFillIsReproducible(t *testing.T) {
	o := Options{Users: 1200, Groups: 30, GroupOf: 1100, Seed: 7}
	d := openDirectory(t, sqldbtest.SQLite(t))
	r := fill(t, d, o)
	if r.Users != 1200 || r.Groups != 31 || r.Members < 1100+30 || r.There != 0 {
		t.Errorf("result %+v", r)
	}
	first := dump(t, d)
	other := openDirectory(t, sqldbtest.PostgreSQL(t))
	fill(t, other, o)
	if diff := cmp.Diff(first, dump(t, other)); diff != "" {
		t.Errorf("the same seed on another engine:\n%s", diff)
	}
	if again := fill(t, d, o); again.Users != 0 || again.Groups != 0 || again.There != 1231 {
		t.Errorf("a second run: %+v", again)
	}
	if diff := cmp.Diff(first, dump(t, d)); diff != "" {
		t.Errorf("a second run changes something:\n%s", diff)
	}
	another := openDirectory(t, sqldbtest.SQLite(t))
	fill(t, another, Options{Users: 50, Seed: 8})
	if slices.Contains(first, dump(t, another)[1]) {
		t.Error("another seed makes the same person")
	}
}

// Nobody exists: all addresses are in reserved domains, all numbers in reserved ranges.
func TestNobodyExists(t *testing.T) {
	d := openDirectory(t, sqldbtest.SQLite(t))
	fill(t, d, Options{Users: 2000, Seed: 1})
	domain := regexp.MustCompile(`@([a-z.]+)"`)
	number := regexp.MustCompile(`"(\+[0-9 ]+)"`)
	reserved := regexp.MustCompile(`^\+(1 \d{3} 555 01\d\d|44 20 7946 0\d{3}|353 20 910 \d{4}|33 1 99 00 \d{4}|49 30 23125 \d{3}|46 8 465 004 \d\d|61 2 5550 \d{4})$`)
	shapes := map[int]int{}
	for _, text := range dump(t, d) {
		for _, m := range domain.FindAllStringSubmatch(text, -1) {
			if !strings.HasSuffix(m[1], "example.com") && !strings.HasSuffix(m[1], "example.org") && !strings.HasSuffix(m[1], "example.net") &&
				!strings.HasSuffix(m[1], ".example") && !strings.HasSuffix(m[1], ".test") {
				t.Fatalf("the domain %s may exist", m[1])
			}
		}
		for _, m := range number.FindAllStringSubmatch(text, -1) {
			if !reserved.MatchString(m[1]) {
				t.Fatalf("the number %s may exist", m[1])
			}
		}
		shapes[strings.Count(text, `"value"`)]++
	}
	if len(shapes) < 8 {
		t.Errorf("people have only %d shapes", len(shapes))
	}
}

// The sizes of groups fall by a power law, and all people lead up to one.
func TestShapeOfTheOrganisation(t *testing.T) {
	m := maker{seed: 1, users: 100_000}
	sizes := m.sizes(1000)
	if sizes[0] < 100*sizes[999] || sizes[9] < 4*sizes[99] || !slices.IsSortedFunc(sizes, func(a, b int) int { return b - a }) {
		t.Errorf("sizes %d, %d, %d, %d", sizes[0], sizes[9], sizes[99], sizes[999])
	}
	for n := range m.users {
		if up := manager(n); up >= n || n > 0 && up < 0 {
			t.Fatalf("the manager of %d is %d", n, up)
		}
	}
	if got := level(m.users - 1); got < 4 || got > 7 {
		t.Errorf("the last of %d people stands %d levels below the first", m.users, got)
	}
	for _, size := range []int{1, 50, 60_000} {
		if got := m.members(3, size); len(got) != size || !slices.IsSorted(got) || got[size-1] >= m.users {
			t.Errorf("a group of %d has %d members", size, len(got))
		}
	}
}

func TestFillRefuses(t *testing.T) {
	d := openDirectory(t, sqldbtest.SQLite(t))
	for _, o := range []Options{{Users: -1}, {Users: 1, GroupOf: 2}, {Groups: 1}} {
		if _, err := Fill(t.Context(), d, directory.Change{Actor: events.System}, o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
