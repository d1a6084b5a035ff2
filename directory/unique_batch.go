package directory

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// claim is what one of several new resources wants to have alone.
type claim struct {
	rid    int64
	unique []schemas.Entry
	lost   *Conflict
}

// uniqueValue is a value and the attribute that it is unique in.
type uniqueValue struct{ path, val string }

// claimTries bounds how often values can be lost to writers beside us: each of them
// has committed, so every try sees more.
const claimTries = 10

var errClaims = errors.New("claim unique values: others keep taking them")

// claimMany gives unique values to new resources, as if each came after the one before:
// one that wants a taken value loses, and gets none of its values.
//
// They are all claimed at once, as nearly always nothing is taken. Otherwise it is
// looked up who has what, and the values are given anew.
func claimMany(tx *sqldb.Tx, t *schemas.Type, claims []claim) error {
	typ := t.Name
	owners := map[uniqueValue]int64{}
	for _, c := range claims {
		for _, e := range c.unique {
			if _, ok := owners[uniqueValue{e.Path, e.Value}]; !ok {
				owners[uniqueValue{e.Path, e.Value}] = c.rid
			}
		}
	}
	all, err := insertUnique(tx, typ, owners)
	if err != nil || all && undisputed(claims, owners) {
		return err
	}
	for range claimTries {
		held, err := findUnique(tx, typ, owners)
		if err != nil {
			return err
		}
		if err := freeUnique(tx, typ, claims, held); err != nil {
			return err
		}
		if all, err = insertUnique(tx, typ, settleClaims(t, claims, held)); err != nil || all {
			return err
		}
	}
	return errClaims
}

// undisputed reports whether every value is claimed by one resource only.
func undisputed(claims []claim, owners map[uniqueValue]int64) bool {
	n := 0
	for _, c := range claims {
		n += len(c.unique)
	}
	return n == len(owners)
}

// settleClaims decides who loses to others, who hold what is in held, or to one before
// it. It returns what the rest shall have.
func settleClaims(t *schemas.Type, claims []claim, held map[uniqueValue]int64) map[uniqueValue]int64 {
	owners := map[uniqueValue]int64{}
	for i := range claims {
		c := &claims[i]
		c.lost = nil
		for _, e := range c.unique {
			v := uniqueValue{e.Path, e.Value}
			if held[v] != 0 || owners[v] != 0 {
				c.lost = &Conflict{Type: t.Name, Attr: t.Spell(e.Path)}
				break
			}
		}
		if c.lost != nil {
			continue
		}
		for _, e := range c.unique {
			owners[uniqueValue{e.Path, e.Value}] = c.rid
		}
	}
	return owners
}

// findUnique looks up who holds values.
func findUnique(tx *sqldb.Tx, typ string, wanted map[uniqueValue]int64) (map[uniqueValue]int64, error) {
	byPath := map[string][]any{}
	for v := range wanted {
		byPath[v.path] = append(byPath[v.path], v.val)
	}
	held := map[uniqueValue]int64{}
	for path, values := range byPath {
		for part := range slices.Chunk(values, lookUpMax) {
			err := eachRow("find unique values", func(row scanner) error {
				v, rid := uniqueValue{path: path}, int64(0)
				err := row.Scan(&v.val, &rid)
				held[v] = rid
				return err
			})(tx.Query(`SELECT val, rid FROM unique_values WHERE path = $1 AND val IN (`+list(2, len(part))+`)`,
				append([]any{typ + ":" + path}, part...)...))
			if err != nil {
				return nil, err
			}
		}
	}
	return held, nil
}

// freeUnique frees what the claims hold, and takes it out of held.
func freeUnique(tx *sqldb.Tx, typ string, claims []claim, held map[uniqueValue]int64) error {
	ours := make(map[int64]bool, len(claims))
	for _, c := range claims {
		ours[c.rid] = true
	}
	for v, rid := range held {
		if !ours[rid] {
			continue
		}
		if _, err := tx.Exec(`DELETE FROM unique_values WHERE path = $1 AND val = $2`, typ+":"+v.path, v.val); err != nil {
			return fmt.Errorf("free unique value: %w", err)
		}
		delete(held, v)
	}
	return nil
}

// insertUnique inserts values that nobody has; all is false when somebody has one. The
// order keeps two who claim the same values from waiting for each other.
func insertUnique(tx *sqldb.Tx, typ string, owners map[uniqueValue]int64) (all bool, err error) {
	values := make([]any, 0, 3*len(owners))
	for _, v := range sortedValues(owners) {
		values = append(values, typ+":"+v.path, v.val, owners[v])
	}
	n, err := tx.InsertMany(`INSERT INTO unique_values (path, val, rid)`, 3, ` ON CONFLICT (path, val) DO NOTHING`, values)
	if err != nil {
		return false, fmt.Errorf("claim unique values: %w", err)
	}
	return n == int64(len(owners)), nil
}

func sortedValues(owners map[uniqueValue]int64) []uniqueValue {
	all := make([]uniqueValue, 0, len(owners))
	for v := range owners {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b uniqueValue) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.val, b.val)) })
	return all
}
