package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/provost-id/provost/internal/story"
)

const readHeaderTimeout = 10 * time.Second

// bench is a running provost and what it is asked for.
type bench struct {
	options
	server *story.Server
	caller *caller
	seq    int
}

func newBench(ctx context.Context, o options) (*bench, error) {
	s, err := story.Start(ctx, o.binary, filepath.Join(o.dir, "provost"))
	if err != nil {
		return nil, err
	}
	return &bench{options: o, server: s, caller: newCaller(o.conns)}, nil
}

func (b *bench) close() error { return b.server.Stop() }

// all runs every comparison and prints a line for each.
func (b *bench) all(ctx context.Context) error {
	header()
	for _, f := range []func(context.Context) (row, error){b.scimGet, b.scimCreate, b.token, b.webhook, b.plugin, b.ldapRead} {
		r, err := f(ctx)
		if err != nil {
			return err
		}
		r.print()
	}
	return nil
}

// compare measures ours and the floor in turns, after one round of each to warm up.
func (b *bench) compare(ctx context.Context, r row, ours, base func(context.Context) (result, error)) (row, error) {
	for round := range b.rounds + 1 {
		o, err := ours(ctx)
		if err != nil {
			return r, fmt.Errorf("%s: %w", r.what, err)
		}
		f, err := base(ctx)
		if err != nil {
			return r, fmt.Errorf("floor of %s: %w", r.what, err)
		}
		if round > 0 {
			r.ours, r.base = append(r.ours, o), append(r.base, f)
		}
	}
	return r, nil
}

// requests measures one kind of request against the server or a floor.
func (b *bench) load(pid int, want int, make func(i int) (method, url, body string, h http.Header)) func(context.Context) (result, error) {
	return func(ctx context.Context) (result, error) {
		return measure(ctx, pid, b.requests, b.conns, func(ctx context.Context, i int) error {
			method, url, body, h := make(i)
			return b.caller.send(ctx, want, method, url, body, h)
		})
	}
}

func (b *bench) header(contentType string) http.Header {
	h := http.Header{"Authorization": {"Bearer " + b.server.Token}}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return h
}

// ask calls the server outside a measurement and decodes a 2xx answer.
func (b *bench) ask(ctx context.Context, method, path, body string, out any) error {
	raw, err := b.caller.read(ctx, method, b.server.URL+path, body, b.header("application/json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, out)
}
