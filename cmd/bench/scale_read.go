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
	// floor says that a bare handler with a body of the same size is its measure, too.
	floor bool
	// grouped asks about people in groups, whom an answer shows; others are in none.
	grouped bool
	// many says that the answer is a page of 100: fewer requests tell its cost.
	many bool
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

func byID(p person) string { return "/scim/v2/Users/" + p.id }

var questions = []question{
	{what: "GET by id", path: byID, floor: true},
	{what: "GET by id, of somebody in groups", path: byID, floor: true, grouped: true},
	{what: "userName eq", path: filter(`userName eq "%s"`, login), floor: true},
	{what: "userName eq, of somebody in groups", path: filter(`userName eq "%s"`, login), floor: true, grouped: true},
	{what: "emails.value eq", path: filter(`emails.value eq "%s"`, home), grouped: true},
	{what: "externalId eq", path: filter(`externalId eq "%s"`, externalID), grouped: true},
	{what: "name.familyName sw, 100 results", path: filter(`name.familyName sw "%s"`, familyPrefix), grouped: true, many: true},
	{what: "and", path: filter(`userName sw "%s" and active eq true and department eq "%s"`, login, department), grouped: true},
	{what: "or", path: filter(`emails.value eq "%s" or externalId eq "%s"`, login, externalID), grouped: true},
	{what: "not", path: filter(`name.familyName sw "%s" and not (department eq "%s")`, familyPrefix, department), grouped: true, many: true},
	{what: "same element", path: filter(`emails[type eq "home" and value eq "%s"]`, home), grouped: true},
}

// read asks the large and the small directory in turns.
func (s *scale) read(ctx context.Context, small *scale) error {
	for _, q := range questions {
		ours, theirs, err := s.turns(ctx, s.asking(q), small.asking(q))
		if err != nil {
			return fmt.Errorf("%s: %w", q.what, err)
		}
		s.report.beside(q.what, ours, "10,000 people", theirs, atMost{cpu: 2, p50: 2})
		if q.floor {
			if err := s.besideBody(ctx, q); err != nil {
				return err
			}
		}
	}
	return nil
}

// asking is a round of requests, each about another person.
func (s *scale) asking(q question) func(ctx context.Context) (result, error) {
	h, people := s.header(""), s.asked(q)
	return func(ctx context.Context) (result, error) {
		return s.measured(ctx, s.rounded(q), s.conns, func(ctx context.Context, i int) error {
			p := people[i%len(people)]
			return s.caller.send(ctx, http.StatusOK, "GET", s.large.URL+q.path(p), "", h)
		})
	}
}

// rounded is how many requests a round has.
func (s *scale) rounded(q question) int {
	if q.many {
		return s.requests / 10
	}
	return s.requests
}

func (s *scale) asked(q question) []person {
	if q.grouped {
		return s.large.known
	}
	return s.large.strangers
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
func (s *scale) besideBody(ctx context.Context, q question) error {
	people := s.asked(q)
	p := people[rand.N(len(people))]
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
	most := atMost{cpu: 2.5}
	if s.database != "" {
		most = atMost{} // the target is for SQLite
	}
	s.report.beside(q.what, ours, "net/http, fixed body of the same size", base, most)
	if strings.HasPrefix(q.what, "GET") {
		s.report.allocations(q.what, ours, 40)
	}
	return nil
}
