package scim_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/provost-id/provost/directory/scim"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// engines runs a benchmark on both engines, through the handler without a network.
func engines(b *testing.B, fn func(b *testing.B, s *service, c *client, h http.Handler)) {
	for name, open := range map[string]func(testing.TB) *sqldb.DB{"sqlite": sqldbtest.SQLite, "postgresql": sqldbtest.PostgreSQL} {
		b.Run(name, func(b *testing.B) {
			s := newService(b, open(b))
			h := httpapi.Middleware(httpapi.Options{PublicURL: publicURL})((&scim.Server{Directory: s.dir, Auth: s.tokens}).Handler())
			fn(b, s, s.client("", httpapi.ScopeSCIM), h)
		})
	}
}

func (c *client) serve(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, scim.Base+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+c.token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// BenchmarkRead is GET of a user of 1 kB, beside a handler with the same fixed body.
func BenchmarkRead(b *testing.B) {
	engines(b, func(b *testing.B, s *service, c *client, h http.Handler) {
		userID := c.create("/Users", fullUser)
		body := c.serve(h, "GET", "/Users/"+userID, "").Body.Bytes()
		b.Run("get", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if w := c.serve(h, "GET", "/Users/"+userID, ""); w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
		b.Run("floor", func(b *testing.B) {
			b.ReportAllocs()
			floor := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
			for b.Loop() {
				c.serve(floor, "GET", "/Users/"+userID, "")
			}
		})
	})
}

// BenchmarkCreate is POST of a user, beside the bare rows that it must leave: resource,
// document, unique and index values, event. Both run with many callers, since SQLite
// commits what waits together.
func BenchmarkCreate(b *testing.B) {
	engines(b, func(b *testing.B, s *service, c *client, h http.Handler) {
		var n atomic.Int64
		b.Run("create", func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					body := strings.Replace(strings.Replace(fullUser, "bjensen@", fmt.Sprintf("b%d@", n.Add(1)), 1), `"password":"t1meMa$heen",`, "", 1)
					if w := c.serve(h, "POST", "/Users", body); w.Code != http.StatusCreated {
						b.Error(w.Body)
					}
				}
			})
		})
		b.Run("floor", func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := bareRows(s, fmt.Sprintf("floor%d", n.Add(1))); err != nil {
						b.Error(err)
					}
				}
			})
		})
	})
}

func bareRows(s *service, name string) error {
	return s.dir.DB.Write(context.Background(), func(tx *sqldb.Tx) error {
		var rid int64
		err := tx.QueryRow(`INSERT INTO resources (id, type, version, status, active, created, modified, status_changed, user_name, display_name)
			VALUES ($1, 'User', 1, 'ACTIVE', TRUE, 1, 1, 1, $2, $2) RETURNING rid`, id.New(id.User), name).Scan(&rid)
		if err != nil {
			return err
		}
		for _, statement := range []string{
			`INSERT INTO documents (rid, doc) VALUES ($1, $2)`,
			`INSERT INTO unique_values (path, val, rid) VALUES ('floor', $2, $1)`,
			`INSERT INTO attribute_values (path, val, rid, elem) VALUES ('a', $2, $1, 0), ('b', $2, $1, 0), ('c', $2, $1, 0), ('d', $2, $1, 0),
				('e', $2, $1, 0), ('f', $2, $1, 0), ('g', $2, $1, 0), ('h', $2, $1, 0), ('i', $2, $1, 0), ('j', $2, $1, 0), ('k', $2, $1, 0)`,
		} {
			value := name
			if strings.Contains(statement, "doc") {
				value = fullUser
			}
			if _, err := tx.Exec(statement, rid, value); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`INSERT INTO events (id, time, type, subject, body) VALUES ($1, 1, 'floor', '', $2)`, id.New(id.Event), fullUser)
		return err
	})
}
