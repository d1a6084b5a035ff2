package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

const (
	pageSize = 200
	deepPage = 5000
	restarts = 5
)

// page compares a cursor page far into the directory with the first one, and a start
// index in the middle with the first page, each asked of a server that has just started.
func (s *scale) page(ctx context.Context, _ *scale) error {
	if err := s.deepCursor(ctx); err != nil {
		return err
	}
	return s.coldIndex(ctx)
}

func (s *scale) deepCursor(ctx context.Context) error {
	cursor, page := "", 1
	last := min(deepPage, s.users/pageSize)
	err := s.walkPages(ctx, last-1, func(_ []string, next string) error {
		cursor, page = next, page+1
		return nil
	})
	if err != nil {
		return err
	}
	asking := func(cursor string) func(ctx context.Context) (result, error) {
		target := s.large.URL + "/scim/v2/Users?cursor=" + url.QueryEscape(cursor) + fmt.Sprintf("&count=%d", pageSize)
		return func(ctx context.Context) (result, error) {
			return s.measured(ctx, s.requests/20, 1, func(ctx context.Context, _ int) error {
				return s.caller.send(ctx, http.StatusOK, "GET", target, "", s.header(""))
			})
		}
	}
	deep, first, err := s.turns(ctx, asking(cursor), asking(""))
	if err != nil {
		return err
	}
	s.report.beside(fmt.Sprintf("cursor page %d of %d", page, pageSize), deep, "first page", first, atMost{cpu: 2, p50: 2})
	return nil
}

// coldIndex times single requests, since only the first after a start is cold.
func (s *scale) coldIndex(ctx context.Context) error {
	middle := s.users/2 + 1
	var deep, first []result
	for range restarts {
		for _, ask := range []struct {
			start int
			to    *[]result
		}{{1, &first}, {middle, &deep}} {
			if err := s.restart(ctx); err != nil {
				return err
			}
			r, err := s.once(ctx, fmt.Sprintf("/scim/v2/Users?startIndex=%d&count=100", ask.start))
			if err != nil {
				return err
			}
			*ask.to = append(*ask.to, r)
		}
	}
	s.report.times(fmt.Sprintf("startIndex=%d after a restart", middle), deep, "first page after a restart", first, 4)
	return nil
}

// once times one request over a connection that is open already.
func (s *scale) once(ctx context.Context, path string) (result, error) {
	if _, err := s.caller.read(ctx, "GET", s.large.URL+"/healthz", "", nil); err != nil {
		return result{}, err
	}
	start := time.Now()
	_, err := s.caller.read(ctx, "GET", s.large.URL+path, "", s.header(""))
	took := ms(time.Since(start))
	return result{p50: took, p99: took}, err
}

// walk gives the IDs of all people, a page at a time; pages is -1 for all.
func (s *scale) walk(ctx context.Context, pages int, do func(ids []string) error) error {
	return s.walkPages(ctx, pages, func(ids []string, _ string) error { return do(ids) })
}

func (s *scale) walkPages(ctx context.Context, pages int, do func(ids []string, next string) error) error {
	cursor := ""
	for ; pages != 0; pages-- {
		var list struct {
			NextCursor string
			Resources  []struct{ ID string }
		}
		path := fmt.Sprintf("/scim/v2/Users?attributes=id&count=%d&cursor=%s", pageSize, url.QueryEscape(cursor))
		if err := s.ask(ctx, "GET", path, "", &list); err != nil {
			return err
		}
		ids := make([]string, len(list.Resources))
		for i, r := range list.Resources {
			ids[i] = r.ID
		}
		if err := do(ids, list.NextCursor); err != nil || list.NextCursor == "" {
			return err
		}
		cursor = list.NextCursor
	}
	return nil
}

// members compares a change of the group of everybody with the same change of a small one.
func (s *scale) members(ctx context.Context, _ *scale) error {
	empty, err := s.newGroup(ctx, "Nobody")
	if err != nil {
		return err
	}
	guest, err := s.newGuest(ctx)
	if err != nil {
		return err
	}
	changing := func(group string) func(ctx context.Context) (result, error) {
		return func(ctx context.Context) (result, error) {
			return s.measured(ctx, s.requests/10, 1, func(ctx context.Context, i int) error {
				op := `{"op":"add","path":"members","value":[{"value":"` + guest + `"}]}`
				if i%2 == 1 {
					op = `{"op":"remove","path":"members[value eq \"` + guest + `\"]"}`
				}
				body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + op + `]}`
				return s.caller.send(ctx, http.StatusNoContent, "PATCH", s.large.URL+"/scim/v2/Groups/"+group, body, s.header("application/scim+json"))
			})
		}
	}
	all, one, err := s.turns(ctx, changing(s.everybody), changing(empty))
	if err != nil {
		return err
	}
	s.report.beside(fmt.Sprintf("member added to or removed from %d", s.users), all, "the same with an empty group", one, atMost{cpu: 2, p50: 2})
	return nil
}

// newGuest makes somebody who is in no group.
func (s *scale) newGuest(ctx context.Context) (string, error) {
	var u struct{ ID string }
	err := s.ask(ctx, "POST", "/scim/v2/Users", personBody(s.users*10), &u)
	return u.ID, err
}
