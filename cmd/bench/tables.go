package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// tablesResult is what the floor of writes prints. Load is the rate of batches, before.
type tablesResult struct{ CPU, Rate, P50, P99, Load float64 }

// tablesOptions are a floor of writes: how many users are loaded in batches, and how
// many then written one by one.
type tablesOptions struct {
	load, writes int
	database     string // a PostgreSQL URL, empty for SQLite in the working directory
}

// runTablesFloor runs the floor of writes as a process of its own in a new folder.
func runTablesFloor(ctx context.Context, o tablesOptions, dir string) (t tablesResult, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return t, err
	}
	self, err := os.Executable()
	if err != nil {
		return t, err
	}
	cmd := exec.CommandContext(ctx, self, "-floor", "tables", "-requests", strconv.Itoa(o.writes), "-users", strconv.Itoa(o.load), "-db", o.database)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return t, err
	}
	return t, json.Unmarshal(out, &t)
}

// tablesFloor writes the rows that a create writes (resource, document, index,
// unique, external ID, total, event): in batches first, then from 64 goroutines in group
// commit, with everything prepared beforehand and no HTTP, and prints what it cost.
func tablesFloor(ctx context.Context, o tablesOptions) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	db, err := sqldb.Open(ctx, sqldb.Config{Path: filepath.Join(dir, "floor.db"), URL: o.database})
	if err != nil {
		return err
	}
	load, err := loadTables(ctx, db, o.load)
	if err != nil {
		return err
	}
	creates, err := prepareCreates(o.load, o.load+o.writes)
	if err != nil {
		return err
	}
	r, err := measure(ctx, os.Getpid(), o.writes, writers, func(ctx context.Context, i int) error {
		return db.Write(ctx, creates[i].insert)
	})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(tablesResult{r.cpu, r.rate, r.p50, r.p99, load}); err != nil {
		return err
	}
	return db.Close()
}

// loadTables writes n users in batches and returns the rate, their preparation left out.
func loadTables(ctx context.Context, db *sqldb.DB, n int) (float64, error) {
	var took time.Duration
	for first := 0; first < n; first += bulkSize {
		creates, err := prepareCreates(first, min(first+bulkSize, n))
		if err != nil {
			return 0, err
		}
		start := time.Now()
		err = db.Write(ctx, func(tx *sqldb.Tx) error { return insertAll(tx, creates) })
		if err != nil {
			return 0, err
		}
		took += time.Since(start)
	}
	if n == 0 {
		return 0, nil
	}
	return float64(n) / took.Seconds(), nil
}

// create is one user, ready to be written.
type create struct {
	id, doc       string
	externalID    string
	hot           schemas.Hot
	index, unique []schemas.Entry
	event         events.Event
}

// prepareCreates makes the users first to last-1.
func prepareCreates(first, last int) ([]create, error) {
	snapshot, err := schemas.Compile(1, schemas.Default())
	if err != nil {
		return nil, err
	}
	user, _ := snapshot.Type("User") // Default has it
	out := make([]create, last-first)
	for i := range out {
		r, err := user.Parse([]byte(personBody(first+i)), schemas.Generic)
		if err != nil {
			return nil, fmt.Errorf("prepare user: %w", err)
		}
		doc := r.Doc()
		out[i] = create{id: id.New(id.User), doc: string(doc), externalID: r.ExternalID, hot: r.Hot(), index: r.Index(), unique: r.Unique()}
		out[i].event = events.Event{Type: "user.lifecycle.create", Actor: events.System, After: doc,
			Targets: []events.Target{{ID: out[i].id, Type: "User", Name: r.Hot().UserName}}}
	}
	return out, nil
}

func (c *create) insert(tx *sqldb.Tx) error { return insertAll(tx, []create{*c}) }

// insertAll writes users with as few statements as there are tables.
func insertAll(tx *sqldb.Tx, creates []create) error {
	rids, err := insertResources(tx, creates)
	if err != nil {
		return err
	}
	var documents, index, unique, external []any
	evs := make([]events.Event, len(creates))
	blocks := map[int64]int{}
	for i, c := range creates {
		rid := rids[i]
		documents = append(documents, rid, c.doc)
		for _, e := range c.index {
			index = append(index, e.Path, e.Value, rid, e.Elem)
		}
		for _, e := range c.unique {
			unique = append(unique, e.Path, e.Value, rid)
		}
		external = append(external, rid, "floor", c.externalID)
		blocks[rid/4096]++
		evs[i] = c.event
	}
	var totals []any
	for block, n := range blocks {
		totals = append(totals, "User", block, n)
	}
	for _, t := range []struct {
		into   string
		width  int
		values []any
	}{
		{`INSERT INTO documents (rid, doc)`, 2, documents},
		{`INSERT INTO attribute_values (path, val, rid, elem)`, 4, index},
		{`INSERT INTO unique_values (path, val, rid)`, 3, unique},
		{`INSERT INTO external_ids (rid, client, value)`, 3, external},
		{`INSERT INTO totals (type, block, delta)`, 3, totals},
	} {
		if _, err := tx.InsertMany(t.into, t.width, "", t.values); err != nil {
			return err
		}
	}
	return events.Append(tx, evs...)
}

// insertResources returns the row numbers in order: both engines give them out so.
func insertResources(tx *sqldb.Tx, creates []create) (rids []int64, err error) {
	now := time.Now().UnixMicro()
	var values []any
	for _, c := range creates {
		values = append(values, c.id, "User", 1, "STAGED", true, now, now, now, strings.ToLower(c.hot.UserName),
			strings.ToLower(c.hot.DisplayName), strings.ToLower(c.hot.FamilyName), strings.ToLower(c.hot.GivenName))
	}
	rows, err := tx.Query(`INSERT INTO resources (id, type, version, status, active, created, modified, status_changed,
		user_name, display_name, family_name, given_name)`+sqldb.ValueRows(len(creates), 12)+` RETURNING rid`, values...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		var rid int64
		if err := rows.Scan(&rid); err != nil {
			return nil, err
		}
		rids = append(rids, rid)
	}
	return rids, rows.Err()
}
