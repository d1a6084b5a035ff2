package transfer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// Counts are what has become of the records of a file.
type Counts struct {
	Records   int64 `json:"records"`
	Created   int64 `json:"created"`
	Updated   int64 `json:"updated"`
	Unchanged int64 `json:"unchanged"`
	Rejected  int64 `json:"rejected"`
	Skipped   int64 `json:"skipped"` // no resources: entries of the tree, built-in groups
	Members   int64 `json:"members"` // memberships that were asked for and hold
	// Deferred are records whose references to others take a second pass.
	Deferred int64 `json:"deferred"`
}

// Statuses of a run.
const (
	running   = "RUNNING"
	done      = "DONE"
	abandoned = "ABANDONED"
)

// run is one import, as the database knows it.
type run struct {
	id   string
	pass int
	done int64 // records of the pass that are dealt with
	Counts
}

// UnfinishedError says that an import of the same file was interrupted.
type UnfinishedError struct{ Records int64 }

// Error says what can be done.
func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("an import of this file stopped after %d records; resume it, or restart it from the beginning", e.Records)
}

// ErrNothingToResume is returned when no import of the file was interrupted.
var ErrNothingToResume = errors.New("no import of this file with these options was interrupted")

// errElsewhere is returned when another process has gone on with the same import.
var errElsewhere = errors.New("another process works on the import of this file")

// beginRun finds the unfinished import of a file, or begins one.
func beginRun(ctx context.Context, db *sqldb.DB, o *Options, fingerprint string, now time.Time) (*run, error) {
	var r *run
	err := db.Write(ctx, func(tx *sqldb.Tx) error {
		var err error
		if r, err = findRun(tx, fingerprint); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		found := err == nil
		switch {
		case found && (o.Resume || r.done == 0 && r.pass == 1): // or nothing came of it
			return nil
		case found && !o.Restart:
			return &UnfinishedError{Records: r.Records}
		case !found && o.Resume:
			return ErrNothingToResume
		case found:
			if _, err := tx.Exec(`UPDATE data_imports SET status = $2 WHERE id = $1`, r.id, abandoned); err != nil {
				return fmt.Errorf("abandon import: %w", err)
			}
		}
		r = &run{id: id.NewAt(id.ImportJob, now), pass: 1}
		_, err = tx.Exec(`INSERT INTO data_imports (id, fingerprint, file, status, pass, done, counts, started, changed)
			VALUES ($1, $2, $3, $4, 1, 0, '{}', $5, $5)`, r.id, fingerprint, plain(o.Path), running, now.UnixMicro())
		if sqldb.IsUnique(err) {
			return errElsewhere
		}
		return err
	})
	return r, err
}

func findRun(tx *sqldb.Tx, fingerprint string) (*run, error) {
	var r run
	var counts string
	err := tx.QueryRow(`SELECT id, pass, done, counts FROM data_imports WHERE fingerprint = $1 AND status = 'RUNNING'`, fingerprint).
		Scan(&r.id, &r.pass, &r.done, &counts)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(counts), &r.Counts); err != nil {
		return nil, fmt.Errorf("stored counts: %w", err)
	}
	return &r, nil
}

// advance writes how far the run has come, in the transaction of what was done. A run
// that is not where it was thought to be has been taken on by somebody else.
func (r *run) advance(tx *sqldb.Tx, to run, now time.Time) error {
	counts, err := json.Marshal(to.Counts)
	if err != nil {
		return err
	}
	res, err := tx.Exec(`UPDATE data_imports SET pass = $4, done = $5, counts = $6, changed = $7
		WHERE id = $1 AND pass = $2 AND done = $3 AND status = 'RUNNING'`, r.id, r.pass, r.done, to.pass, to.done, string(counts), now.UnixMicro())
	if err != nil {
		return fmt.Errorf("note progress: %w", err)
	}
	n, err := res.RowsAffected()
	if err == nil && n != 1 {
		err = errElsewhere
	}
	return err
}

// finish ends the run and forgets what it had to remember. What takes time comes before
// the end: a run that is stopped there is resumed.
func (r *run) finish(ctx context.Context, db *sqldb.DB, now time.Time) error {
	if r.Created+r.Members >= manyRows {
		if err := db.Analyze(ctx, "resources", "documents", "attribute_values", "unique_values", "external_ids", "members", "attribute_sources", "events"); err != nil {
			return err
		}
	}
	err := db.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`UPDATE data_imports SET status = $2, changed = $3 WHERE id = $1 AND status = 'RUNNING'`, r.id, done, now.UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("finish import: %w", err)
	}
	return sweepRuns(ctx, db)
}

// manyRows is how many may change what the planner of the database should know.
const manyRows = 1000

// sweepPart is how many rows are forgotten at a time.
const sweepPart = 5000

// sweepRuns forgets what imports had to remember that are over.
func sweepRuns(ctx context.Context, db *sqldb.DB) error {
	for table, key := range map[string]string{"data_import_refs": "ref", "data_import_rejects": "record"} {
		for deleted := int64(sweepPart); deleted == sweepPart; {
			err := db.Write(ctx, func(tx *sqldb.Tx) error {
				res, err := tx.Exec(`DELETE FROM `+table+` WHERE (import_id, `+key+`) IN (SELECT t.import_id, t.`+key+` FROM `+table+` t
					WHERE t.import_id NOT IN (SELECT id FROM data_imports WHERE status = 'RUNNING') LIMIT $1)`, sweepPart)
				if err != nil {
					return err
				}
				deleted, err = res.RowsAffected()
				return err
			})
			if err != nil {
				return fmt.Errorf("forget %s: %w", table, err)
			}
		}
	}
	return nil
}

// reject is a record that could not be taken.
type reject struct {
	record int64 // of its pass
	line   int64
	reason string
	detail []string // of the second pass: what could not be found
}

func (r *run) insertRejects(tx *sqldb.Tx, pass int, all []reject) error {
	values := make([]any, 0, 6*len(all))
	for _, x := range all {
		detail, err := json.Marshal(x.detail)
		if err != nil {
			return err
		}
		values = append(values, r.id, pass, x.record, x.line, plain(x.reason), plain(string(detail)))
	}
	_, err := tx.InsertMany(`INSERT INTO data_import_rejects (import_id, pass, record, line, reason, detail)`, 6, "", values)
	if err != nil {
		return fmt.Errorf("note rejects: %w", err)
	}
	return nil
}

// rejects are those of before, for a run that goes on.
func (r *run) rejects(ctx context.Context, db *sqldb.DB, pass int) (map[int64]reject, error) {
	rows, err := db.Query(ctx, `SELECT record, line, reason, detail FROM data_import_rejects WHERE import_id = $1 AND pass = $2`, r.id, pass)
	if err != nil {
		return nil, fmt.Errorf("read rejects: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	all := map[int64]reject{}
	for rows.Next() {
		var x reject
		var detail string
		if err := rows.Scan(&x.record, &x.line, &x.reason, &detail); err != nil {
			return nil, fmt.Errorf("read rejects: %w", err)
		}
		if err := json.Unmarshal([]byte(detail), &x.detail); err != nil {
			return nil, fmt.Errorf("stored reject: %w", err)
		}
		all[x.record] = x
	}
	return all, rows.Err()
}

// plain is a text that a database takes.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
}
