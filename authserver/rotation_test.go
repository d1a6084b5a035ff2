package authserver

import (
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// TestADV23_ParallelRotation: one key is active afterwards, and what the old ones have
// signed still verifies.
func TestADV23_ParallelRotation(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		c := b.webClient(func(c *Client) { c.IDTokenAlg = rs256 })
		token := b.tokens(c, DefaultServer, "openid").str("access_token")
		next := statusKeys(b, keyNext)[es256]
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := b.s.RotateKeys(t.Context(), b.by, DefaultServer); err != nil {
					t.Errorf("rotate: %v", err)
				}
			})
		}
		wg.Wait()
		for _, alg := range []string{es256, rs256} {
			if n := len(keysOf(b, alg, keyActive)); n != 1 {
				t.Errorf("%d active keys for %s, want 1", n, alg)
			}
			if n := len(keysOf(b, alg, keyNext)); n != 1 {
				t.Errorf("%d next keys for %s, want 1", n, alg)
			}
		}
		if !b.active(c, DefaultServer, token) {
			t.Error("a token signed before the rotation is not active")
		}
		if len(keysOf(b, es256, keyExpired)) != 2 || statusKeys(b, keyExpired)[es256] == "" || next == "" {
			t.Errorf("expired keys: %v", statusKeys(b, keyExpired))
		}
		if h := header(t, b.tokens(c, DefaultServer, "openid").str("access_token")); h["kid"] != statusKeys(b, keyActive)[es256] {
			t.Errorf("new tokens are signed by %v", h["kid"])
		}
	})
}

func keysOf(b *bench, alg, status string) (kids []string) {
	b.t.Helper()
	for _, k := range b.server(DefaultServer).ring.keys {
		if k.alg == alg && k.status == status {
			kids = append(kids, k.kid)
		}
	}
	return kids
}

func statusKeys(b *bench, status string) map[string]string {
	b.t.Helper()
	out := map[string]string{}
	for _, alg := range []string{es256, rs256} {
		for _, kid := range keysOf(b, alg, status) {
			out[alg] = kid
		}
	}
	return out
}

// TestNextKeyIsPublished: a rotation uses the key that verifiers have had time to fetch.
func TestNextKeyIsPublished(t *testing.T) {
	b := sqliteBench(t)
	next := statusKeys(b, keyNext)[es256]
	if _, err := b.s.RotateKeys(t.Context(), b.by, DefaultServer); err != nil {
		t.Fatal(err)
	}
	if got := statusKeys(b, keyActive)[es256]; got != next {
		t.Errorf("active is %s, want %s that was published before", got, next)
	}
	b.clock.advance(keepExpiredKeys + time.Minute)
	if err := b.s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(keysOf(b, es256, keyExpired)); n != 0 {
		t.Errorf("%d expired keys are kept", n)
	}
}

// TestKeysAreSealed: no private key stands in the database, and one of another master
// key does not open.
func TestKeysAreSealed(t *testing.T) {
	b := sqliteBench(t)
	other, err := keyring.New([]byte("another master key of 32 bytes!!"))
	if err != nil {
		t.Fatal(err)
	}
	o := b.s.Options
	o.Keys = other
	if _, err := New(t.Context(), o); err == nil {
		t.Error("the keys open under another master key")
	}
}

// TestTwoNodes: what one node makes the other knows, and both sign with one key.
func TestTwoNodes(t *testing.T) {
	url1 := sqldbtest.Schema(t)
	b := newBench(t, sqldbtest.Open(t, sqldb.Config{URL: url1}))
	o := b.s.Options
	o.DB = sqldbtest.Open(t, sqldb.Config{URL: url1})
	second, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	kids := make([]string, 2)
	for i, s := range []*Service{b.s, second} {
		wg.Go(func() {
			srv, err := s.server(t.Context(), DefaultServer)
			if err != nil {
				t.Error(err)
				return
			}
			if _, k, err := s.needKey(t.Context(), srv, rs256); err != nil {
				t.Error(err)
			} else {
				kids[i] = k.kid
			}
		})
	}
	wg.Wait()
	if kids[0] != kids[1] || kids[0] == "" {
		t.Errorf("two nodes made two RS256 keys: %v", kids)
	}
	if _, err := second.Server(t.Context(), DefaultServer); err != nil {
		t.Error(err)
	}
}

// TestSweep: rows go when they mean nothing any more, and not before.
func TestSweep(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		b := newBench(t, db)
		c := b.webClient()
		a := b.tokens(c, DefaultServer, "openid offline_access")
		b.code(c, DefaultServer, "openid", nil) // never redeemed
		one := b.tokens(c, DefaultServer, "openid")
		b.post(b.as(DefaultServer, "revoke"), c, url.Values{"token": {one.str("access_token")}})
		counts := func() (grants, refresh, revoked int) {
			err := db.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM oauth_grants), (SELECT count(*) FROM oauth_refresh_tokens),
				(SELECT count(*) FROM oauth_revoked)`).Scan(&grants, &refresh, &revoked)
			if err != nil {
				t.Fatal(err)
			}
			return grants, refresh, revoked
		}
		for _, step := range []struct {
			after                    time.Duration
			grants, refresh, revoked int
		}{{time.Minute, 3, 1, 1}, {10 * time.Minute, 2, 1, 1}, {time.Hour, 1, 1, 0}, {8 * 24 * time.Hour, 0, 0, 0}} {
			b.clock.advance(step.after)
			if err := b.s.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if g, r, v := counts(); g != step.grants || r != step.refresh || v != step.revoked {
				t.Errorf("after %s: %d grants, %d refresh tokens, %d revocations; want %+v", step.after, g, r, v, step)
			}
			if step.after < time.Hour && !b.active(c, DefaultServer, a.str("refresh_token")) {
				t.Error("the living token was swept")
			}
		}
	})
}
