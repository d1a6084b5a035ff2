package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	writers = 64 // what waits together commits together
	windows = 5
)

// write creates people for half of the minutes and patches them for the other half,
// beside the bare tables in group commit.
func (s *scale) write(ctx context.Context, _ *scale) error {
	half := time.Duration(s.minutes) * time.Minute / 2
	h := s.header("application/scim+json")
	next := s.users * 10
	created, err := s.during(ctx, half, func(ctx context.Context, i int) error {
		return s.caller.send(ctx, http.StatusCreated, "POST", s.large.URL+"/scim/v2/Users", personBody(next+1+i), h)
	})
	if err != nil {
		return err
	}
	s.report.writes("create, 64 connections", created, s.tables, 0.6)
	patched, err := s.during(ctx, half, func(ctx context.Context, i int) error {
		id := s.large.ids[rand.N(len(s.large.ids))]
		body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"title","value":"Engineer %d"}]}`, i)
		return s.caller.send(ctx, http.StatusOK, "PATCH", s.large.URL+"/scim/v2/Users/"+id, body, h)
	})
	if err != nil {
		return err
	}
	s.report.writes("PATCH of one attribute, 64 connections", patched, s.tables, 0.6)
	s.report.least("PATCH of one attribute", "create", patched.result, created.result)
	return nil
}

// written is what a time of writing came to, in equal windows.
type written struct {
	result
	perWindow [windows]float64 // per second
}

// during has 64 connections write for a time.
func (s *scale) during(ctx context.Context, d time.Duration, do func(ctx context.Context, i int) error) (w written, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cpu, err := cpuTime(s.large.PID())
	if err != nil {
		return w, err
	}
	start := time.Now()
	var next, done [windows + 1]atomic.Int64
	var times [writers][]time.Duration
	var wg sync.WaitGroup
	for c := range writers {
		wg.Go(func() {
			for ctx.Err() == nil && time.Since(start) < d {
				began := time.Now()
				if err := do(ctx, int(next[0].Add(1))); err != nil {
					cancel(err)
					return
				}
				times[c] = append(times[c], time.Since(began))
				done[min(int(time.Since(start)*windows/d), windows)].Add(1)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return w, err
	}
	after, err := cpuTime(s.large.PID())
	return summed(times[:], done[:windows], d, time.Since(start), after-cpu), err
}

func summed(times [][]time.Duration, done []atomic.Int64, d, wall, cpu time.Duration) (w written) {
	all := slices.Concat(times...)
	slices.Sort(all)
	n := len(all)
	w.result = result{
		cpu: float64(cpu.Microseconds()) / float64(n), rate: float64(n) / wall.Seconds(), p50: ms(all[n/2]), p99: ms(all[n*99/100]),
	}
	for i := range done {
		w.perWindow[i] = float64(done[i].Load()) / (d / windows).Seconds()
	}
	return w
}
