package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/provost-id/provost/internal/story"
)

// scaleOptions are what `make bench-scim` lets one say.
type scaleOptions struct {
	users, minutes int
	database       string // a PostgreSQL URL, empty for SQLite
	out            string // file of the report, empty for none
}

// smallUsers is the size of the directory that the large one is compared with.
const smallUsers = 10_000

// scale measures a directory with many people beside a small one and beside floors, in
// the order in which a directory lives: filled, read, walked, written.
type scale struct {
	options
	scaleOptions
	caller *caller
	large  *filled
	report *report
	memory *memory
	tables tablesResult // the floor of writes

	everybody string // the ID of the group of all people
}

// filled is a running server whose directory holds people 0 to users-1.
type filled struct {
	*story.Server
	dir       string
	args      []string
	ids       []string // of all people, in the order of a list
	known     []person // some of the people, in groups as all are
	strangers []person // who are in no group
}

// person is one of the people of the directory, by number.
type person struct {
	n  int
	id string
}

func runScale(ctx context.Context, o options, so scaleOptions) (err error) {
	s := &scale{options: o, scaleOptions: so, caller: newCaller(writers), report: newReport(so)}
	s.memory = watchMemory()
	small := &scale{options: o, scaleOptions: so, caller: s.caller, report: newReport(so), memory: &memory{}}
	small.users = min(so.users, smallUsers)
	for _, d := range []struct {
		s    *scale
		name string
	}{{small, "small"}, {s, "large"}} {
		if err := d.s.start(ctx, d.name); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.s.large.Stop()) }()
	}
	for _, step := range []struct {
		name string
		run  func(ctx context.Context, small *scale) error
	}{
		{"fill", s.fill}, {"read", s.read}, {"page", s.page}, {"members", s.members}, {"write", s.write},
	} {
		start := time.Now()
		fmt.Fprintf(os.Stderr, "%s ...\n", step.name)
		if err := step.run(ctx, small); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s took %s\n", step.name, time.Since(start).Round(time.Second))
	}
	s.report.memory(s.memory.stop(), 300)
	return s.report.finish(so.out)
}

// start runs a server on an empty directory.
func (s *scale) start(ctx context.Context, name string) error {
	dir := filepath.Join(s.dir, name)
	var args []string
	if s.database != "" {
		url, err := newSchema(ctx, s.database, "bench_"+name)
		if err != nil {
			return err
		}
		args = []string{"--database-url", url}
	}
	server, err := story.Start(ctx, s.binary, dir, args...)
	if err != nil {
		return err
	}
	s.large = &filled{Server: server, dir: dir, args: args}
	s.memory.pid.Store(int64(server.PID()))
	return nil
}

// restart begins with cold caches in the process.
func (s *scale) restart(ctx context.Context) error {
	s.memory.pid.Store(0)
	if err := s.large.Stop(); err != nil {
		return err
	}
	server, err := story.Start(ctx, s.binary, s.large.dir, s.large.args...)
	if err != nil {
		return err
	}
	s.large.Server = server
	s.memory.pid.Store(int64(server.PID()))
	return nil
}

func (s *scale) header(contentType string) http.Header {
	h := http.Header{"Authorization": {"Bearer " + s.large.Token}}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return h
}

// newSchema makes an empty schema in a PostgreSQL database: an organisation of its own.
func newSchema(ctx context.Context, database, name string) (string, error) {
	u, err := url.Parse(database)
	if err != nil {
		return "", err
	}
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }() // what counts has been done
	if _, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+name+" CASCADE"); err != nil {
		return "", err
	}
	if _, err := conn.Exec(ctx, "CREATE SCHEMA "+name); err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String(), nil
}
