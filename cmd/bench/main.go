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
	flag.Parse()
	if *floor != "" {
		return beFloor(ctx, *floor, *size, o)
	}
	dir, err := os.MkdirTemp("", "provost-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.dir = dir
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
