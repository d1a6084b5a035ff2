package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
)

// question is a read whose cost must not grow with the directory.
type question struct {
	what string
	path func(p person) string
	// floor says that a bare handler with a body of the same size is its measure.
	floor bool
}

func filter(format string, values ...func(n int) string) func(p person) string {
	return func(p person) string {
		args := make([]any, len(values))
		for i, v := range values {
			args[i] = v(p.n)
		}
		return "/scim/v2/Users?filter=" + url.QueryEscape(fmt.Sprintf(format, args...))
	}
}

func externalID(n int) string { return fmt.Sprintf("hr-%d", n) }
func home(n int) string       { return fmt.Sprintf("fred%d@home.example", n) }

var questions = []question{
	{"GET by id", func(p person) string { return "/scim/v2/Users/" + p.id }, true},
	{"userName eq", filter(`userName eq "%s"`, login), true},
	{"emails.value eq", filter(`emails.value eq "%s"`, home), false},
	{"externalId eq", filter(`externalId eq "%s"`, externalID), false},
	{"name.familyName sw, 100 results", filter(`name.familyName sw "%s"`, familyPrefix), false},
	{"and", filter(`userName sw "%s" and active eq true and department eq "%s"`, login, department), false},
	{"or", filter(`emails.value eq "%s" or externalId eq "%s"`, login, externalID), false},
	{"not", filter(`name.familyName sw "%s" and not (department eq "%s")`, familyPrefix, department), false},
	{"same element", filter(`emails[type eq "home" and value eq "%s"]`, home), false},
}

// read asks the large and the small directory in turns.
func (s *scale) read(ctx context.Context, small *scale) error {
	for _, q := range questions {
		ours, theirs, err := s.turns(ctx, s.asking(q), small.asking(q))
		if err != nil {
			return fmt.Errorf("%s: %w", q.what, err)
		}
		s.report.beside(q.what, ours, "10,000 people", theirs, 2)
		if q.floor {
			if err := s.besideBody(ctx, q, ours); err != nil {
				return err
			}
		}
	}
	return nil
}

// asking is a round of requests, each about another person.
func (s *scale) asking(q question) func(ctx context.Context) (result, error) {
	h := s.header("")
	return func(ctx context.Context) (result, error) {
		return s.measured(ctx, s.requests, s.conns, func(ctx context.Context, i int) error {
			p := s.large.known[i%len(s.large.known)]
			return s.caller.send(ctx, http.StatusOK, "GET", s.large.URL+q.path(p), "", h)
		})
	}
}

// measured is measure, with the allocations of the server beside it.
func (s *scale) measured(ctx context.Context, n, conns int, do func(ctx context.Context, i int) error) (result, error) {
	before, err := s.mallocs(ctx)
	if err != nil {
		return result{}, err
	}
	r, err := measure(ctx, s.large.PID(), n, conns, do)
	if err != nil {
		return r, err
	}
	after, err := s.mallocs(ctx)
	r.allocs = (after - before) / float64(n)
	return r, err
}

// mallocs is how many objects the server has allocated, as its metrics say.
func (s *scale) mallocs(ctx context.Context) (n float64, err error) {
	b, err := s.caller.read(ctx, "GET", s.large.Ops+"/metrics", "", nil)
	if err != nil {
		return 0, err
	}
	const name = "\ngo_memstats_mallocs_total "
	_, after, ok := strings.Cut(string(b), name)
	if !ok {
		return 0, fmt.Errorf("metrics have no%s", name)
	}
	_, err = fmt.Sscan(after, &n)
	return n, err
}

// turns measures a and b alternately, after one round of each to warm up.
func (s *scale) turns(ctx context.Context, a, b func(context.Context) (result, error)) (ra, rb []result, err error) {
	for round := range s.rounds + 1 {
		x, err := a(ctx)
		if err != nil {
			return nil, nil, err
		}
		y, err := b(ctx)
		if err != nil {
			return nil, nil, err
		}
		if round > 0 {
			ra, rb = append(ra, x), append(rb, y)
		}
	}
	return ra, rb, nil
}

// besideBody measures the question again, beside net/http with a body of the same size.
func (s *scale) besideBody(ctx context.Context, q question, _ []result) error {
	p := s.large.known[rand.N(len(s.large.known))]
	body, err := s.caller.read(ctx, "GET", s.large.URL+q.path(p), "", s.header(""))
	if err != nil {
		return err
	}
	floor, err := startFloor(ctx, "body", len(body))
	if err != nil {
		return err
	}
	defer floor.stop()
	h := s.header("")
	ours, base, err := s.turns(ctx, s.asking(q), func(ctx context.Context) (result, error) {
		return measure(ctx, floor.pid(), s.requests, s.conns, func(ctx context.Context, _ int) error {
			return s.caller.send(ctx, http.StatusOK, "GET", floor.url, "", h)
		})
	})
	if err != nil {
		return err
	}
	s.report.beside(q.what, ours, "net/http, fixed body of the same size", base, 2.5)
	s.report.allocations(q.what, ours, 40)
	return nil
}
