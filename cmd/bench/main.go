// Command bench measures provost beside its floors, in one run: the CPU time of the
// server process per request, and its ratio to the least that any server could spend
// on it. Rates and percentiles stand beside it and say less: they depend on the
// machine's other work. It starts everything itself, on loopback, and gates nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	var o options
	floor := flag.String("floor", "", "internal: be the floor of this name")
	size := flag.Int("size", 0, "internal: body size of the floor")
	flag.StringVar(&o.binary, "provost", "bin/provost", "the server's binary")
	flag.IntVar(&o.requests, "requests", 4000, "requests per round")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds; the median is printed")
	flag.IntVar(&o.conns, "conns", 16, "connections")
	var so scaleOptions
	scim := flag.Bool("scim", false, "measure a directory with many people instead")
	flag.IntVar(&so.users, "users", 100_000, "people, with -scim")
	flag.IntVar(&so.minutes, "minutes", 2, "minutes of writes, with -scim")
	flag.StringVar(&so.database, "db", "", "a PostgreSQL URL, with -scim; SQLite when empty")
	flag.StringVar(&so.out, "out", "", "file that the report is written to as JSON, with -scim")
	flag.Parse()
	if *floor != "" {
		return beFloor(ctx, *floor, *size, tablesOptions{load: so.users, writes: o.requests, database: so.database})
	}
	dir, err := os.MkdirTemp("", "provost-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.dir = dir
	if *scim && (so.users < 1 || so.minutes < 1) {
		return fmt.Errorf("want one person and one minute at least, got %d and %d", so.users, so.minutes)
	}
	if *scim {
		return runScale(ctx, o, so)
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	return b.all(ctx)
}

type options struct {
	binary, dir             string
	requests, rounds, conns int
}
