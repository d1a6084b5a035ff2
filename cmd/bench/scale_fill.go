package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	bulkSize    = 1000 // operations of one request: what ServiceProviderConfig allows
	bulkConns   = 4
	groupSize   = 8    // members of an ordinary group
	addAtOnce   = 5000 // members that one PATCH brings to the group of everybody
	knownPeople = 2000
	strangers   = 200
)

// fill brings half of the people by file and half by Bulk, then the groups, into a
// directory whose indexes are in place, beside the bare tables in the same batches.
func (s *scale) fill(ctx context.Context, small *scale) error {
	if _, err := small.bulkPeople(ctx, 0, small.users); err != nil {
		return err
	}
	if err := small.settle(ctx); err != nil {
		return err
	}
	if err := s.bareTables(ctx); err != nil {
		return err
	}
	half := s.users / 2
	imported, err := s.importFile(ctx, 0, half)
	if err != nil {
		return err
	}
	s.report.rate("file import", imported, s.tables.Load, 0.5)
	bulk, err := s.bulkPeople(ctx, half, s.users)
	if err != nil {
		return err
	}
	s.report.rate("Bulk of users", bulk, s.tables.Load, 0.5)
	return s.settle(ctx)
}

// settle makes the groups, after which it brings some people who are in none.
func (s *scale) settle(ctx context.Context) (err error) {
	if err := s.walk(ctx, -1, func(ids []string) error { s.large.ids = append(s.large.ids, ids...); return nil }); err != nil {
		return err
	}
	if err := s.groups(ctx); err != nil {
		return err
	}
	if _, err := s.bulkPeople(ctx, s.users, s.users+strangers); err != nil {
		return err
	}
	// External IDs are of the client: those of the people from a file are another's.
	byBulk := func(int) int { return s.users/2 + rand.N(s.users-s.users/2) }
	if s.large.known, err = s.meet(ctx, knownPeople, byBulk); err != nil {
		return err
	}
	s.large.strangers, err = s.meet(ctx, strangers, func(i int) int { return s.users + i })
	return err
}

// bareTables measures the floor of all writes, at the same size of the directory.
func (s *scale) bareTables(ctx context.Context) error {
	o := tablesOptions{load: s.users, writes: s.requests * s.rounds}
	if s.database != "" {
		url, err := newSchema(ctx, s.database, "bench_floor")
		if err != nil {
			return err
		}
		o.database = url
	}
	t, err := runTablesFloor(ctx, o, filepath.Join(s.dir, "floor"))
	s.tables = t
	return errors.Join(err, os.RemoveAll(filepath.Join(s.dir, "floor")))
}

// importFile has `provost data import` read people from a file, and returns the rate.
func (s *scale) importFile(ctx context.Context, from, to int) (float64, error) {
	file := filepath.Join(s.dir, "people.jsonl")
	if err := writePeople(file, from, to); err != nil {
		return 0, err
	}
	defer func() { _ = os.Remove(file) }() // the folder goes in the end
	args := append([]string{"data", "import", file, "--data-dir", s.large.dir}, s.large.args...)
	cmd := exec.CommandContext(ctx, s.binary, args...)
	cmd.Stderr = os.Stderr
	start := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	return float64(to-from) / time.Since(start).Seconds(), nil
}

func writePeople(file string, from, to int) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for n := from; n < to; n++ {
		_, _ = w.WriteString(personBody(n) + "\n") // Flush tells
	}
	return errors.Join(w.Flush(), f.Close())
}

// bulkPeople creates people by Bulk requests and returns the rate.
func (s *scale) bulkPeople(ctx context.Context, from, to int) (float64, error) {
	start := time.Now()
	requests := (to - from + bulkSize - 1) / bulkSize
	_, err := fire(ctx, requests, bulkConns, func(ctx context.Context, i int) error {
		first := from + i*bulkSize
		return s.bulk(ctx, "/Users", first, min(first+bulkSize, to), personBody)
	})
	return float64(to-from) / time.Since(start).Seconds(), err
}

// bulk posts resources first to last-1 in one request.
func (s *scale) bulk(ctx context.Context, path string, first, last int, body func(n int) string) error {
	var b strings.Builder
	b.WriteString(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":1,"Operations":[`)
	for n := first; n < last; n++ {
		if n > first {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"method":"POST","path":"%s","bulkId":"%d","data":%s}`, path, n, body(n))
	}
	b.WriteString(`]}`)
	var answer struct {
		Operations []struct{ Status string }
	}
	if err := s.ask(ctx, "POST", "/scim/v2/Bulk", b.String(), &answer); err != nil {
		return err
	}
	if got := len(answer.Operations); got != last-first {
		return fmt.Errorf("Bulk: %d of %d operations answered", got, last-first)
	}
	for _, o := range answer.Operations {
		if o.Status != "201" {
			return fmt.Errorf("Bulk: an operation answered %s", o.Status)
		}
	}
	return nil
}

// meet looks people up, whose IDs the requests to come need.
func (s *scale) meet(ctx context.Context, count int, who func(i int) int) (met []person, err error) {
	for i := range count {
		n := who(i)
		id, err := s.find(ctx, "/Users", `userName eq "`+login(n)+`"`)
		if err != nil {
			return nil, err
		}
		met = append(met, person{n, id})
	}
	return met, nil
}

// find returns the ID of the one resource that a filter finds.
func (s *scale) find(ctx context.Context, path, filter string) (string, error) {
	var list struct {
		TotalResults int
		Resources    []struct{ ID string }
	}
	err := s.ask(ctx, "GET", "/scim/v2"+path+"?attributes=id&filter="+url.QueryEscape(filter), "", &list)
	if err != nil {
		return "", err
	}
	if len(list.Resources) != 1 {
		return "", fmt.Errorf("%s finds %d resources", filter, list.TotalResults)
	}
	return list.Resources[0].ID, nil
}

// groups makes one group for ten people, and one of everybody.
func (s *scale) groups(ctx context.Context) error {
	count := s.users / 10
	for first := 0; first < count; first += bulkSize {
		if err := s.bulk(ctx, "/Groups", first, min(first+bulkSize, count), s.groupBody); err != nil {
			return err
		}
	}
	id, err := s.newGroup(ctx, "All of them")
	if err != nil {
		return err
	}
	s.everybody = id
	return s.fillGroup(ctx, id)
}

func (s *scale) groupBody(n int) string {
	var members []string
	for range groupSize {
		members = append(members, `{"value":"`+s.large.ids[rand.N(len(s.large.ids))]+`"}`)
	}
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Group %d","members":[%s]}`, n, strings.Join(members, ","))
}

func (s *scale) newGroup(ctx context.Context, name string) (string, error) {
	var g struct{ ID string }
	err := s.ask(ctx, "POST", "/scim/v2/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"`+name+`"}`, &g)
	return g.ID, err
}

// fillGroup makes everybody a member.
func (s *scale) fillGroup(ctx context.Context, group string) error {
	for part := range slices.Chunk(s.large.ids, addAtOnce) {
		body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"` +
			strings.Join(part, `"},{"value":"`) + `"}]}]}`
		if err := s.caller.send(ctx, http.StatusNoContent, "PATCH", s.large.URL+"/scim/v2/Groups/"+group, body, s.header("application/scim+json")); err != nil {
			return err
		}
	}
	return nil
}

// ask calls the server outside a measurement and decodes a 2xx answer.
func (s *scale) ask(ctx context.Context, method, path, body string, out any) error {
	raw, err := s.caller.read(ctx, method, s.large.URL+path, body, s.header("application/scim+json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, out)
}
