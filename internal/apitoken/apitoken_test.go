package apitoken_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

var actor = events.Actor{ID: "00uadmin", Type: "User"}

// clock is a time that tests move.
type clock struct{ now time.Time }

func store(t *testing.T, db *sqldb.DB) (*apitoken.Store, *clock) {
	t.Helper()
	keys, err := keyring.New(bytes.Repeat([]byte{7}, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	return &apitoken.Store{DB: db, Keys: keys, Now: func() time.Time { return c.now }}, c
}

func create(t *testing.T, s *apitoken.Store, n apitoken.NewToken) (string, apitoken.Token) {
	t.Helper()
	token, tok, err := s.Create(t.Context(), actor, n)
	if err != nil {
		t.Fatal(err)
	}
	return token, tok
}

func TestTokenLives(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, clock := store(t, db)
		token, tok := create(t, s, apitoken.NewToken{Name: "sync", Scopes: []string{"scim", "manage"}, UserID: "00u1", TTL: time.Hour, Settings: apitoken.Settings{Dialect: "entra"}})
		if !regexp.MustCompile(`^00[0-9A-Za-z]{40}$`).MatchString(token) {
			t.Errorf("token %q has not the form of an SSWS token", token)
		}
		want := httpapi.Principal{ID: tok.ID, Name: "sync", Type: "Token", UserID: "00u1", Scopes: []string{"scim", "manage"}, Dialect: "entra"}
		got, err := s.Authenticate(t.Context(), token)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		clock.now = clock.now.Add(time.Hour - time.Microsecond)
		if _, err := s.Authenticate(t.Context(), token); err != nil {
			t.Errorf("just before its end: %v", err)
		}
		clock.now = clock.now.Add(time.Microsecond)
		if _, err := s.Authenticate(t.Context(), token); !errors.Is(err, httpapi.ErrUnauthenticated) {
			t.Errorf("at its end: %v", err)
		}
		if err := s.DeleteExpired(t.Context()); err != nil {
			t.Fatal(err)
		}
		if all, err := s.List(t.Context()); len(all) != 0 || err != nil {
			t.Errorf("expired tokens are listed: %v, %v", all, err)
		}
	})
}

// ADV-84: a token of a person is good for as long as they are an administrator.
func TestADV84_OwnerLosesRights(t *testing.T) {
	s, _ := store(t, sqldbtest.SQLite(t))
	admins := map[string]bool{"00u1": true}
	s.Administrator = func(_ context.Context, userID string) (bool, error) { return admins[userID], nil }
	owned, _ := create(t, s, apitoken.NewToken{Name: "own", Scopes: []string{"scim"}, UserID: "00u1", TTL: time.Hour})
	free, _ := create(t, s, apitoken.NewToken{Name: "system", Scopes: []string{"scim"}, TTL: time.Hour})
	if _, err := s.Authenticate(t.Context(), owned); err != nil {
		t.Errorf("token of an administrator: %v", err)
	}
	delete(admins, "00u1")
	if _, err := s.Authenticate(t.Context(), owned); !errors.Is(err, httpapi.ErrUnauthenticated) {
		t.Errorf("token of a former administrator: %v, want ErrUnauthenticated", err)
	}
	if _, err := s.Authenticate(t.Context(), free); err != nil {
		t.Errorf("token of nobody: %v", err)
	}
	s.Administrator = func(context.Context, string) (bool, error) { return true, errors.New("no database") }
	if _, err := s.Authenticate(t.Context(), owned); err == nil || errors.Is(err, httpapi.ErrUnauthenticated) {
		t.Errorf("when nobody can say: %v, want the fault", err)
	}
}

// ADV-11: a token that is nearly right is not right.
func TestADV11_AlteredToken(t *testing.T) {
	db := sqldbtest.SQLite(t)
	s, _ := store(t, db)
	token, _ := create(t, s, apitoken.NewToken{Name: "a", Scopes: []string{"scim"}, TTL: time.Hour})
	flipped := []byte(token)
	flipped[20] ^= 1
	for name, wrong := range map[string]string{
		"empty": "", "truncated": token[:41], "extended": token + "0", "space": token + " ", "prefix alone": "00",
		"flipped": string(flipped), "case": token[:2] + swapCase(token[2:]), "other prefix": "01" + token[2:], "NUL": token[:41] + "\x00",
	} {
		if _, err := s.Authenticate(t.Context(), wrong); !errors.Is(err, httpapi.ErrUnauthenticated) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	other, err := keyring.New(bytes.Repeat([]byte{8}, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&apitoken.Store{DB: db, Keys: other, Now: s.Now}).Authenticate(t.Context(), token); !errors.Is(err, httpapi.ErrUnauthenticated) {
		t.Errorf("under another master key: %v", err)
	}
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if up := strings.ToUpper(string(r)); up != string(r) {
			return rune(up[0])
		}
		return rune(strings.ToLower(string(r))[0])
	}, s)
}

func TestRevoke(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, clock := store(t, db)
		first, one := create(t, s, apitoken.NewToken{Name: "1", Scopes: []string{"scim"}, UserID: "00u1", TTL: time.Hour})
		clock.now = clock.now.Add(time.Second)
		second, two := create(t, s, apitoken.NewToken{Name: "2", Scopes: []string{"scim"}, UserID: "00u2", TTL: time.Hour})
		third, three := create(t, s, apitoken.NewToken{Name: "3", Scopes: []string{"scim"}, TTL: time.Hour})
		if err := s.Revoke(t.Context(), actor, one.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.Revoke(t.Context(), actor, one.ID); !errors.Is(err, apitoken.ErrNotFound) {
			t.Errorf("second Revoke: %v", err)
		}
		for _, user := range []string{"00u2", "", "00u9"} {
			if err := db.Write(t.Context(), func(tx *sqldb.Tx) error { return s.RevokeUser(tx, user) }); err != nil {
				t.Fatal(err)
			}
		}
		for token, live := range map[string]bool{first: false, second: false, third: true} {
			if _, err := s.Authenticate(t.Context(), token); (err == nil) != live {
				t.Errorf("token of %v: %v", live, err)
			}
		}
		all, err := s.List(t.Context())
		if diff := cmp.Diff([]apitoken.Token{three}, all); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if got := revoked(t, db); !cmp.Equal(got, []string{one.ID, two.ID}) {
			t.Errorf("revocations in the log: %v, want %s and %s", got, one.ID, two.ID)
		}
	})
}

func revoked(t *testing.T, db *sqldb.DB) (ids []string) {
	t.Helper()
	rows, err := db.Query(t.Context(), `SELECT subject FROM events WHERE type = 'system.api_token.revoke' ORDER BY n`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // its error is that of Err
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// The secret stands nowhere: not in the row, not in the log.
func TestADV86_SecretIsNotStored(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _ := store(t, db)
		token, _ := create(t, s, apitoken.NewToken{Name: "a", Scopes: []string{"manage"}, TTL: time.Hour})
		var body string
		var hash []byte
		if err := db.QueryRow(t.Context(), `SELECT body, (SELECT hash FROM api_tokens) FROM events`).Scan(&body, &hash); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(body, token) || bytes.Contains(hash, []byte(token)) || len(hash) != 32 {
			t.Errorf("event %s, hash of %d bytes", body, len(hash))
		}
		var ev events.Event
		if err := json.Unmarshal([]byte(body), &ev); err != nil || ev.Type != "system.api_token.create" || ev.Actor != actor {
			t.Errorf("event %s, %v", body, err)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	s, _ := store(t, sqldbtest.SQLite(t))
	for name, n := range map[string]apitoken.NewToken{
		"no name":       {Name: " ", Scopes: []string{"scim"}, TTL: time.Hour},
		"no scope":      {Name: "a", TTL: time.Hour},
		"unknown scope": {Name: "a", Scopes: []string{"scim", "root"}, TTL: time.Hour},
		"joined scopes": {Name: "a", Scopes: []string{"scim manage"}, TTL: time.Hour},
		"no lifetime":   {Name: "a", Scopes: []string{"scim"}},
		"negative":      {Name: "a", Scopes: []string{"scim"}, TTL: -time.Hour},
	} {
		if token, _, err := s.Create(t.Context(), actor, n); !errors.Is(err, apitoken.ErrInvalid) || token != "" {
			t.Errorf("%s: got %q, %v", name, token, err)
		}
	}
	if all, err := s.List(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("refused tokens are stored: %v, %v", all, err)
	}
}

// TestTokensInMemory: while Run watches, a token is known without a row being read, and
// one that another node revokes ends here as well.
func TestTokensInMemory(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _ := store(t, db)
		other, _ := store(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		defer func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}()
		token, tok := create(t, other, apitoken.NewToken{Name: "sync", Scopes: []string{"scim"}, TTL: time.Hour})
		if _, err := s.Authenticate(t.Context(), token); err != nil {
			t.Fatalf("a token made on another node does not work at once: %v", err)
		}
		if err := other.Revoke(t.Context(), actor, tok.ID); err != nil {
			t.Fatal(err)
		}
		for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
			if _, err := s.Authenticate(t.Context(), token); errors.Is(err, httpapi.ErrUnauthenticated) {
				return
			}
			if time.Since(start) > 10*time.Second {
				t.Fatal("a token revoked on another node still works")
			}
		}
	})
}

// TestNoteDialect: what a client gives away is kept, logged once, and not written at
// every request of two clients that share a token.
func TestNoteDialect(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, clock := store(t, db)
		secret, tok := create(t, s, apitoken.NewToken{Name: "a", Scopes: []string{"scim"}, TTL: time.Hour})
		note := func(dialect, want string) {
			t.Helper()
			if err := s.NoteDialect(t.Context(), tok.ID, dialect); err != nil {
				t.Fatal(err)
			}
			if p, err := s.Authenticate(t.Context(), secret); err != nil || p.Detected != want || p.Dialect != "" {
				t.Errorf("after %s: %+v, %v", dialect, p, err)
			}
		}
		note("okta", "okta")
		note("entra", "okta") // within the minute
		clock.now = clock.now.Add(time.Minute)
		note("entra", "entra")
		clock.now = clock.now.Add(time.Minute)
		note("entra", "entra")
		var n int
		if err := db.QueryRow(t.Context(), `SELECT count(*) FROM events WHERE type = 'system.api_token.dialect_detected'`).Scan(&n); err != nil || n != 2 {
			t.Errorf("%d events, %v", n, err)
		}
		if err := s.NoteDialect(t.Context(), "no token of ours", "okta"); err != nil {
			t.Error(err)
		}
	})
}

func TestUpdateSettings(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s, _ := store(t, db)
		secret, tok := create(t, s, apitoken.NewToken{Name: "a", Scopes: []string{"scim"}, TTL: time.Hour})
		limits := &httpapi.Limits{ResourceTypes: []string{"User"}, Groups: []string{"00g1"}}
		changed, err := s.Update(t.Context(), actor, tok.ID, func(set *apitoken.Settings) { set.Dialect, set.Limits = "entra", limits })
		if err != nil {
			t.Fatal(err)
		}
		read, err := s.Token(t.Context(), tok.ID)
		if diff := cmp.Diff(changed, read); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		p, err := s.Authenticate(t.Context(), secret)
		if diff := cmp.Diff(limits, p.Limits); err != nil || diff != "" || p.Dialect != "entra" {
			t.Errorf("%+v, %v %s", p, err, diff)
		}
		if _, err := s.Update(t.Context(), actor, "none", func(*apitoken.Settings) {}); !errors.Is(err, apitoken.ErrNotFound) {
			t.Errorf("no token: %v", err)
		}
		_, wide := create(t, s, apitoken.NewToken{Name: "b", Scopes: []string{"scim", "manage"}, TTL: time.Hour})
		if _, err := s.Update(t.Context(), actor, wide.ID, func(set *apitoken.Settings) { set.Limits = limits }); !errors.Is(err, apitoken.ErrInvalid) {
			t.Errorf("limits beside the scope manage: %v", err)
		}
	})
}
