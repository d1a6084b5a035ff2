package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// result is one round: what it cost the process that answered, and what the caller saw.
type result struct {
	cpu      float64 // µs per request, user and system time of the process
	rate     float64 // requests per second
	p50, p99 float64 // ms
	allocs   float64 // per request, of the whole process; where it is measured
}

// measure runs n requests over conns connections and reads the CPU time of pid
// before and after.
func measure(ctx context.Context, pid, n, conns int, do func(ctx context.Context, i int) error) (result, error) {
	before, err := cpuTime(pid)
	if err != nil {
		return result{}, err
	}
	start := time.Now()
	times, err := fire(ctx, n, conns, do)
	if err != nil {
		return result{}, err
	}
	wall := time.Since(start)
	after, err := cpuTime(pid)
	if err != nil {
		return result{}, err
	}
	slices.Sort(times)
	return result{
		cpu: float64((after - before).Microseconds()) / float64(n), rate: float64(n) / wall.Seconds(),
		p50: ms(times[n/2]), p99: ms(times[n*99/100]),
	}, nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// fire makes n calls from conns goroutines and returns how long each took.
func fire(ctx context.Context, n, conns int, do func(ctx context.Context, i int) error) ([]time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	times := make([]time.Duration, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				start := time.Now()
				if err := do(ctx, i); err != nil {
					cancel(err)
					return
				}
				times[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	return times, context.Cause(ctx)
}

// cpuTime is the user and system time that a process has used (proc(5), fields 14
// and 15, in ticks of 10 ms).
func cpuTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	var ticks int64
	for _, field := range f[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// caller sends requests over kept connections and wants one status.
type caller struct{ client *http.Client }

func newCaller(conns int) *caller {
	return &caller{client: &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: conns}}}
}

func (c *caller) send(ctx context.Context, want int, method, url, body string, header http.Header) error {
	status, b, err := c.do(ctx, method, url, body, header)
	if err == nil && status != want {
		err = fmt.Errorf("%s %s answers %d: %s", method, url, status, b)
	}
	return err
}

// read returns the body of a 2xx answer.
func (c *caller) read(ctx context.Context, method, url, body string, header http.Header) ([]byte, error) {
	status, b, err := c.do(ctx, method, url, body, header)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("%s %s answers %d: %s", method, url, status, b)
	}
	return b, err
}

func (c *caller) do(ctx context.Context, method, url, body string, header http.Header) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header = header
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

// rssAnon is the anonymous memory of a process in MB (proc(5), status).
func rssAnon(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0 // it is gone: the next request tells
	}
	_, after, _ := strings.Cut(string(b), "RssAnon:")
	var kb float64
	_, _ = fmt.Sscan(after, &kb) // 0 where there is none
	return kb / 1024
}
