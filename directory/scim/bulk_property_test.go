package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// TestBulk_Model: after a bulk request the directory is, on both engines, what the
// operations that succeeded, one by one, make of another. What an operation needs comes
// before it, and nothing else changes places.
func TestBulk_Model(t *testing.T) {
	engines := []*world{newWorld(t, sqldbtest.SQLite(t)), newWorld(t, sqldbtest.PostgreSQL(t))}
	alone := newWorld(t, sqldbtest.SQLite(t))
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		ops := rapid.SliceOfN(modelOpGen(), 1, 12).Draw(rt, "operations")
		for i := range ops {
			ops[i].bulkID = fmt.Sprint("b", i)
		}
		accepted := rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(rt, "failOnErrors")
		var first []bool
		var want map[string]string
		for _, w := range engines {
			w.begin(fmt.Sprintf("r%d", round))
			done := w.atOnce(rt, accepted, ops)
			if first == nil {
				alone.begin(fmt.Sprintf("r%d", round))
				alone.oneByOne(rt, ops, done)
				first, want = done, alone.dump()
			}
			if diff := cmp.Diff(first, done); diff != "" {
				rt.Fatalf("on the two engines others succeed:\n%s", diff)
			}
			if diff := cmp.Diff(want, w.dump()); diff != "" {
				rt.Fatalf("one by one, and at once (+):\n%s", diff)
			}
		}
	})
}

// modelOp is an operation in which @name stands for the ID of what was there before.
type modelOp struct {
	method, path, data string
	bulkID             string
}

// world is a directory with what one round makes of it.
type world struct {
	*client
	prefix string
	ids    map[string]string // of @names, and of bulkIds once they are created
	names  map[string]string // the other way
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	s := newService(t, db)
	s.serve(deviceType())
	return &world{client: s.client("", httpapi.ScopeSCIM)}
}

func (w *world) begin(prefix string) {
	w.prefix, w.ids, w.names = prefix, map[string]string{}, map[string]string{}
	for _, name := range []string{"e0", "e1", "e2"} {
		w.ids["@"+name] = w.create("/Users", w.fill(`{"userName":"%`+name+`@example.com"}`))
	}
	for _, name := range []string{"x0", "x1"} {
		w.ids["@"+name] = w.create("/Groups", w.fill(`{"displayName":"%`+name+`","members":[{"value":"@e0"}]}`))
	}
	w.ids["@v0"] = w.create("/Devices", w.fill(`{"serial":"%v0","owner":{"value":"@e1"}}`))
}

var symbol = regexp.MustCompile(`@[exv][0-9]\b|%`)

// fill puts the IDs and the prefix of the round in.
func (w *world) fill(s string) string {
	return symbol.ReplaceAllStringFunc(s, func(m string) string {
		if m == "%" {
			return w.prefix + "-"
		}
		if id, ok := w.ids[m]; ok {
			return id
		}
		return m
	})
}

// atOnce makes the operations as a bulk request and returns which succeeded.
func (w *world) atOnce(rt *rapid.T, failOnErrors int, ops []modelOp) []bool {
	request := make([]bulkOp, len(ops))
	for i, o := range ops {
		request[i] = bulkOp{Method: o.method, Path: w.fill(o.path), BulkID: o.bulkID}
		if o.data != "" {
			request[i].Data = json.RawMessage(w.fill(o.data))
		}
	}
	done := make([]bool, len(ops))
	failed := 0
	for _, r := range w.bulk(failOnErrors, request...) {
		i, err := strconv.Atoi(r.BulkID[1:])
		if err != nil || r.Status[0] == '5' {
			rt.Fatalf("%+v %+v", r, r.Response)
		}
		done[i] = r.Status[0] == '2'
		if !done[i] && !strings.Contains(r.Response.Detail, "circular") { // a circle fails as a whole
			failed++
		}
	}
	if failOnErrors > 0 && failed > failOnErrors {
		rt.Fatalf("%d errors, accepted were %d", failed, failOnErrors)
	}
	return done
}

// oneByOne makes the operations that succeeded, each by a request of its own.
func (w *world) oneByOne(rt *rapid.T, ops []modelOp, done []bool) {
	m := sequential{world: w, rt: rt, ops: ops, done: done, started: make([]bool, len(ops))}
	for i := range ops {
		m.visit(i)
		for _, again := range m.circles { // now everything is there
			m.do("PATCH", again.path, patchBody(`{"op":"add","value":`+m.resolve(again.data)+`}`))
		}
		m.circles = nil
	}
}

type sequential struct {
	*world
	rt      *rapid.T
	ops     []modelOp
	done    []bool
	started []bool
	circles []modelOp // what could not be said when the resource was created
}

var reference = regexp.MustCompile(`bulkId:(b[0-9]+)`)

func (m *sequential) visit(i int) {
	if m.started[i] {
		return
	}
	m.started[i] = true
	o := m.ops[i]
	open := false
	for _, ref := range reference.FindAllStringSubmatch(o.path+o.data, -1) {
		if n, _ := strconv.Atoi(ref[1][1:]); n < len(m.ops) && m.ops[n].method == "POST" {
			m.visit(n)
		}
		_, there := m.ids[ref[0]]
		open = open || !there
	}
	if !m.done[i] {
		return
	}
	data := o.data
	if open { // a circle leads back here
		data = regexp.MustCompile(`,"(owner|members|`+enterpriseURN+`)":.*$`).ReplaceAllString(data, "}")
	}
	r := m.do(o.method, m.resolve(o.path), m.resolve(data))
	if r.status >= 300 {
		m.rt.Fatalf("alone %s %s %s answers %d %s", o.method, m.resolve(o.path), m.resolve(data), r.status, r.raw)
	}
	if id, _ := r.body["id"].(string); o.method == "POST" {
		m.ids["bulkId:"+o.bulkID] = id
		if open {
			m.circles = append(m.circles, modelOp{path: o.path + "/" + id, data: o.data})
		}
	}
}

func (m *sequential) resolve(s string) string {
	return m.fill(reference.ReplaceAllStringFunc(s, func(ref string) string {
		if id, ok := m.ids[ref]; ok {
			return id
		}
		return ref
	}))
}

// dump is what the round has made, by names.
func (w *world) dump() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	found := map[string][]map[string]any{}
	for path, attr := range map[string]string{"/Users": "userName", "/Groups": "displayName", "/Devices": "serial"} {
		filter := url.QueryEscape(attr + ` sw "` + w.prefix + `-"`)
		found[path] = w.must(http.StatusOK, "GET", path+"?filter="+filter, "").resources()
		for _, x := range found[path] {
			w.names[x["id"].(string)] = x[attr].(string)
		}
	}
	for path, all := range found {
		for _, x := range all {
			var members []string
			list, _ := x["members"].([]any)
			for _, m := range list {
				members = append(members, w.name(at(m, "value")))
			}
			slices.Sort(members)
			out[path+" "+w.name(x["id"])] = fmt.Sprint(x["title"], w.name(at(x, enterpriseURN, "manager", "value")), w.name(at(x, "owner", "value")), members)
		}
	}
	return out
}

// name is what an ID is called; what is gone has none.
func (w *world) name(id any) string {
	s, _ := id.(string)
	if name, ok := w.names[s]; ok {
		return name
	}
	if s == "" {
		return ""
	}
	return "gone"
}

// modelOpGen draws an operation, some of them bad, and many in the way of another.
func modelOpGen() *rapid.Generator[modelOp] {
	return rapid.Custom(func(rt *rapid.T) modelOp {
		pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(rt, label) }
		anybody := func() string {
			return pick("who", "@e0", "@e1", "@e2", "bulkId:b0", "bulkId:b1", "bulkId:b2", "bulkId:b4", "bulkId:b7", "bulkId:b99", "@x0")
		}
		user := func() string {
			return "/Users/" + pick("user", "@e0", "@e1", "@e2", "bulkId:b0", "bulkId:b3", "nobody")
		}
		group := func() string { return "/Groups/" + pick("group", "@x0", "@x1", "bulkId:b1", "bulkId:b5") }
		manager := func() string {
			if rapid.Bool().Draw(rt, "managed") {
				return fmt.Sprintf(`,"%s":{"manager":{"value":"%s"}}`, enterpriseURN, anybody())
			}
			return ""
		}
		switch rapid.IntRange(0, 11).Draw(rt, "kind") {
		case 0, 1, 2:
			return modelOp{method: "POST", path: "/Users", data: `{"userName":"%n` + pick("name", "0", "1", "2", "3") + `@example.com"` + manager() + `}`}
		case 3, 4:
			return modelOp{method: "POST", path: "/Groups", data: `{"displayName":"%h` + pick("name", "0", "1") + `","members":[{"value":"` + anybody() + `"},{"value":"@e2"}]}`}
		case 5:
			return modelOp{method: "POST", path: "/Devices", data: `{"serial":"%s` + pick("name", "0", "1") + `","owner":{"value":"` + anybody() + `"}}`}
		case 6:
			return modelOp{method: "PATCH", path: user(), data: patchBody(`{"op":"replace","path":"title","value":"` + pick("title", "a", "b", "c") + `"}`)}
		case 7, 8:
			return modelOp{method: "PATCH", path: group(), data: patchBody(pick("op", `{"op":"add","path":"members","value":[{"value":"`+anybody()+`"}]}`, `{"op":"remove","path":"members[value eq \"`+anybody()+`\"]"}`))}
		case 9:
			return modelOp{method: "PUT", path: "/Users/" + pick("user", "@e0", "@e1"), data: `{"userName":"%n` + pick("name", "0", "9") + `@example.com","title":"put"` + manager() + `}`}
		case 10:
			return modelOp{method: "DELETE", path: pick("gone", "/Users/@e2", "/Users/bulkId:b0", "/Groups/@x1", "/Devices/@v0")}
		}
		return modelOp{method: pick("method", "POST", "DELETE", "GET"), path: pick("bad", "/Users", "/Bulk", "Users", "/Users/@x0"), data: `[["x"]]`}
	})
}
