package directory

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/provost-id/provost/schemas"
)

func TestStartIndexPages(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		var all []*User
		for i := range 7 {
			all = append(all, mustCreate(t, d, fmt.Sprintf(`{"userName":"u%d@example.com"}`, i)))
		}
		for _, tc := range []struct{ start, count, first, n int }{
			{1, 3, 0, 3}, {4, 3, 3, 3}, {7, 3, 6, 1}, {8, 3, 0, 0}, {0, 2, 0, 2}, {1, 0, 0, 0}, {3, 2, 2, 2},
		} {
			p, err := d.List(t.Context(), typeUser, ListQuery{StartIndex: tc.start, Count: tc.count})
			if err != nil || p.Total != 7 || len(p.Users) != tc.n {
				t.Errorf("start %d count %d: total %d, %d rows, %v; want 7, %d", tc.start, tc.count, p.Total, len(p.Users), err, tc.n)
				continue
			}
			if tc.n > 0 && p.Users[0].ID != all[tc.first].ID {
				t.Errorf("start %d begins at %s, want user %d", tc.start, p.Users[0].ID, tc.first)
			}
		}
	})
}

// A walk by startIndex or by cursor under inserts and deletes sees every user that
// stays exactly once.
func TestWalkUnderChurnLosesNobody(t *testing.T) {
	for _, cursor := range []bool{false, true} {
		t.Run(map[bool]string{false: "startIndex", true: "cursor"}[cursor], func(t *testing.T) {
			each(t, func(t *testing.T, d *Directory) { walkUnderChurn(t, d, cursor) })
		})
	}
}

func walkUnderChurn(t *testing.T, d *Directory, cursor bool) {
	const stable = 60
	seen := map[string]int{}
	var doomed []string
	for i := range stable {
		seen[mustCreate(t, d, fmt.Sprintf(`{"userName":"stay%d@example.com"}`, i)).ID] = 0
		doomed = append(doomed, mustCreate(t, d, fmt.Sprintf(`{"userName":"go%d@example.com"}`, i)).ID)
	}
	q := ListQuery{StartIndex: 1, Count: 10, UseCursor: cursor, Client: "walker"}
	for round := range 100 {
		p, err := d.List(t.Context(), typeUser, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range p.Users {
			if _, ok := seen[u.ID]; ok {
				seen[u.ID]++
			}
		}
		if len(p.Users) < q.Count || cursor && p.Next == "" {
			break
		}
		q.StartIndex, q.Cursor = q.StartIndex+len(p.Users), p.Next
		for _, id := range doomed[:min(7, len(doomed))] {
			if err := d.DeleteUser(t.Context(), tester, id, nil); err != nil {
				t.Fatal(err)
			}
		}
		doomed = doomed[min(7, len(doomed)):]
		if round < 5 { // fewer than are read, or the walk would never end
			mustCreate(t, d, fmt.Sprintf(`{"userName":"new%d@example.com"}`, round))
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("user %s was seen %d times", id, n)
		}
	}
}

func TestADV59_ForgedCursors(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		for i := range 4 {
			mustCreate(t, d, fmt.Sprintf(`{"userName":"u%d@example.com","title":"x"}`, i))
		}
		filter, err := d.userType().ParseFilter(`title eq "x"`, schemas.Generic)
		if err != nil {
			t.Fatal(err)
		}
		q := ListQuery{UseCursor: true, Count: 2, Client: "one", Filter: filter}
		p, err := d.List(t.Context(), typeUser, q)
		if err != nil || p.Next == "" {
			t.Fatalf("first page: %+v, %v", p, err)
		}
		good := q
		good.Cursor = p.Next
		if next, err := d.List(t.Context(), typeUser, good); err != nil || len(next.Users) != 2 || next.Next != "" {
			t.Fatalf("second page: %+v, %v", next, err)
		}
		edited := []byte(p.Next)
		edited[len(edited)-3] ^= 1
		for name, bad := range map[string]struct {
			typ string
			q   ListQuery
		}{
			"edited":         {typeUser, ListQuery{UseCursor: true, Count: 2, Client: "one", Filter: filter, Cursor: string(edited)}},
			"invented":       {typeUser, ListQuery{UseCursor: true, Count: 2, Client: "one", Filter: filter, Cursor: "AAAAAAAAAAAAAAAAAAAAAA"}},
			"not base64":     {typeUser, ListQuery{UseCursor: true, Count: 2, Client: "one", Filter: filter, Cursor: "' or 1=1"}},
			"another client": {typeUser, ListQuery{UseCursor: true, Count: 2, Client: "two", Filter: filter, Cursor: p.Next}},
			"another filter": {typeUser, ListQuery{UseCursor: true, Count: 2, Client: "one", Cursor: p.Next}},
			"another type":   {typeGroup, ListQuery{UseCursor: true, Count: 2, Client: "one", Filter: filter, Cursor: p.Next}},
		} {
			var refused *CursorError
			if _, err := d.List(t.Context(), bad.typ, bad.q); !errors.As(err, &refused) || refused.Expired {
				t.Errorf("%s cursor: %v, want a CursorError", name, err)
			}
		}
		now := d.Now()
		d.Now = func() time.Time { return now.Add(CursorTime + time.Minute) }
		var refused *CursorError
		if _, err := d.List(t.Context(), typeUser, good); !errors.As(err, &refused) || !refused.Expired {
			t.Errorf("old cursor: %v, want it expired", err)
		}
	})
}

func TestFoldTotalsKeepsTheSum(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		for i := range 5 {
			u := mustCreate(t, d, fmt.Sprintf(`{"userName":"u%d@example.com"}`, i))
			if i == 0 {
				if err := d.DeleteUser(t.Context(), tester, u.ID, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.FoldTotals(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var rows int
		if err := d.DB.QueryRow(t.Context(), `SELECT count(*) FROM totals`).Scan(&rows); err != nil || rows != 2 {
			t.Errorf("%d total rows after folding (%v), want one per type", rows, err)
		}
		if n, err := total(t.Context(), d.DB, typeUser); err != nil || n != 4 {
			t.Errorf("total %d, %v; want 4", n, err)
		}
	})
}
