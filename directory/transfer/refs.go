package transfer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
)

// A ref is something that a run remembers of a record until it is over. Its first
// character says what: the number of a record that the second pass comes back to, what
// a file calls a resource, the key that a record had, or, of a dry run, a value that a
// resource would have alone.
const (
	refNumber = "#"
	refName   = "="
	refKey    = "k"
	refUnique = "u"
)

func numberRef(n int64) string { return refNumber + strconv.FormatInt(n, 10) }

// longRef is the longest ref that an index takes; what is longer is cut, with its
// length, since names that long mean nothing.
const longRef = 2000

func ref(kind string, parts ...string) string {
	s := plain(kind + strings.Join(parts, "\x1F"))
	if len(s) > longRef {
		s = plain(s[:longRef]) + strconv.Itoa(len(s))
	}
	return s
}

// lookUp is how many refs one statement looks for.
const lookUp = 250

// findRefs returns the IDs of those refs that are known.
func (r *run) findRefs(ctx context.Context, db *sqldb.DB, refs []string) (map[string]string, error) {
	found := map[string]string{}
	for part := range slices.Chunk(refs, lookUp) {
		args := make([]any, 1, len(part)+1)
		args[0] = r.id
		var in strings.Builder
		for i, s := range part {
			args = append(args, s)
			fmt.Fprintf(&in, ", $%d", i+2)
		}
		rows, err := db.Query(ctx, `SELECT ref, id FROM data_import_refs WHERE import_id = $1 AND ref IN (`+in.String()[2:]+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("look up references: %w", err)
		}
		for rows.Next() {
			var s, id string
			if err := rows.Scan(&s, &id); err != nil {
				return nil, fmt.Errorf("look up references: %w", err)
			}
			found[s] = id
		}
		if err := rows.Close(); err != nil {
			return nil, fmt.Errorf("look up references: %w", err)
		}
	}
	return found, nil
}

// insertRefs remembers refs. Of two that are the same the first stays.
func (r *run) insertRefs(tx *sqldb.Tx, refs map[string]string) error {
	values := make([]any, 0, 3*len(refs))
	for _, s := range sortedKeys(refs) {
		values = append(values, r.id, s, refs[s])
	}
	_, err := tx.InsertMany(`INSERT INTO data_import_refs (import_id, ref, id)`, 3, ` ON CONFLICT (import_id, ref) DO NOTHING`, values)
	if err != nil {
		return fmt.Errorf("remember references: %w", err)
	}
	return nil
}
