package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
)

func (b *bench) scimGet(ctx context.Context) (row, error) {
	var u struct {
		ID string `json:"id"`
	}
	if err := b.ask(ctx, "POST", "/scim/v2/Users", personBody(0), &u); err != nil {
		return row{}, err
	}
	var raw json.RawMessage
	if err := b.ask(ctx, "GET", "/scim/v2/Users/"+u.ID, "", &raw); err != nil {
		return row{}, err
	}
	floor, err := startFloor(ctx, "body", len(raw))
	if err != nil {
		return row{}, err
	}
	defer floor.stop()
	h := b.header("")
	ours := b.load(b.server.PID(), http.StatusOK, func(int) (string, string, string, http.Header) {
		return "GET", b.server.URL + "/scim/v2/Users/" + u.ID, "", h
	})
	base := b.load(floor.pid(), http.StatusOK, func(int) (string, string, string, http.Header) { return "GET", floor.url, "", h })
	return b.compare(ctx, row{what: "SCIM GET by id", floor: "net/http, fixed body of the same size"}, ours, base)
}

func (b *bench) scimCreate(ctx context.Context) (row, error) {
	h := b.header("application/scim+json")
	ours := func(ctx context.Context) (result, error) {
		from := b.seq
		b.seq += b.requests
		return measure(ctx, b.server.PID(), b.requests, writers, func(ctx context.Context, i int) error {
			return b.caller.send(ctx, http.StatusCreated, "POST", b.server.URL+"/scim/v2/Users", personBody(1+from+i), h)
		})
	}
	round := 0
	base := func(ctx context.Context) (result, error) {
		round++
		t, err := runTablesFloor(ctx, tablesOptions{writes: b.requests}, filepath.Join(b.dir, fmt.Sprint("floor", round)))
		return result{cpu: t.CPU, rate: t.Rate, p50: t.P50, p99: t.P99}, err
	}
	return b.compare(ctx, row{what: "SCIM create, 64 connections", floor: "the bare tables in group commit, no HTTP"}, ours, base)
}
