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

// tablesResult is what the floor of writes prints.
type tablesResult struct{ CPU, Rate, P50, P99 float64 }

// runTablesFloor runs the floor of writes as a process of its own in a new folder.
func runTablesFloor(ctx context.Context, o options, dir string) (result, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return result{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(ctx, self, "-floor", "tables", "-requests", strconv.Itoa(o.requests))
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return result{}, err
	}
	var t tablesResult
	err = json.Unmarshal(out, &t)
	return result{cpu: t.CPU, rate: t.Rate, p50: t.P50, p99: t.P99}, err
}

// tablesFloor writes the rows that a create writes (resource, document, index,
// unique, external ID, total, event) from 64 goroutines in group commit, with
// everything prepared beforehand and no HTTP, and prints what it cost.
func tablesFloor(ctx context.Context, o options) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	db, err := sqldb.Open(ctx, sqldb.Config{Path: filepath.Join(dir, "floor.db")})
	if err != nil {
		return err
	}
	creates, err := prepareCreates(o.requests)
	if err != nil {
		return err
	}
	r, err := measure(ctx, os.Getpid(), o.requests, 64, func(ctx context.Context, i int) error {
		return db.Write(ctx, creates[i].insert)
	})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(tablesResult{r.cpu, r.rate, r.p50, r.p99}); err != nil {
		return err
	}
	return db.Close()
}

// create is one user, ready to be written.
type create struct {
	id, doc       string
	hot           schemas.Hot
	index, unique []schemas.Entry
	event         events.Event
}

func prepareCreates(n int) ([]create, error) {
	snapshot, err := schemas.Compile(1, schemas.Default())
	if err != nil {
		return nil, err
	}
	user, _ := snapshot.Type("User") // Default has it
	out := make([]create, n)
	for i := range out {
		r, err := user.Parse([]byte(userBody(i)), schemas.Generic)
		if err != nil {
			return nil, fmt.Errorf("prepare user: %w", err)
		}
		doc := r.Doc()
		out[i] = create{id: id.New(id.User), doc: string(doc), hot: r.Hot(), index: r.Index(), unique: r.Unique()}
		out[i].event = events.Event{Type: "user.lifecycle.create", Actor: events.System, After: doc,
			Targets: []events.Target{{ID: out[i].id, Type: "User", Name: r.Hot().UserName}}}
	}
	return out, nil
}

func (c *create) insert(tx *sqldb.Tx) error {
	now := time.Now().UnixMicro()
	var rid int64
	err := tx.QueryRow(`INSERT INTO resources (id, type, version, status, active, created, modified, status_changed,
		user_name, display_name, family_name, given_name) VALUES ($1, 'User', 1, 'STAGED', TRUE, $2, $2, $2, $3, $4, $5, $6) RETURNING rid`,
		c.id, now, strings.ToLower(c.hot.UserName), strings.ToLower(c.hot.DisplayName), strings.ToLower(c.hot.FamilyName), strings.ToLower(c.hot.GivenName)).Scan(&rid)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO documents (rid, doc) VALUES ($1, $2)`, rid, c.doc); err != nil {
		return err
	}
	for _, e := range c.index {
		if _, err := tx.Exec(`INSERT INTO attribute_values (path, val, rid, elem) VALUES ($1, $2, $3, $4)`, e.Path, e.Value, rid, e.Elem); err != nil {
			return err
		}
	}
	for _, e := range c.unique {
		if _, err := tx.Exec(`INSERT INTO unique_values (path, val, rid) VALUES ($1, $2, $3)`, e.Path, e.Value, rid); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`INSERT INTO totals (type, delta) VALUES ('User', 1)`); err != nil {
		return err
	}
	return events.Append(tx, c.event)
}
