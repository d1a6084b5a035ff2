package session

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

func newStore(t testing.TB, db *sqldb.DB) *Store {
	t.Helper()
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return &Store{DB: db, Keys: keys}
}

func start(t *testing.T, s *Store, n NewSession) (Session, *http.Cookie) {
	t.Helper()
	started, c, err := s.Start(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return started, c
}

func find(t *testing.T, s *Store, c *http.Cookie) (Session, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if c != nil {
		r.AddCookie(c)
	}
	return s.FromRequest(r)
}

func TestSession(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := newStore(t, db)
		started, c := start(t, s, NewSession{UserID: "00u1", AMR: []string{"pwd", "otp"}, IdP: "0oa1"})
		found, err := find(t, s, c)
		if err != nil || found.ID != started.ID || found.UserID != "00u1" || !slices.Equal(found.AMR, []string{"pwd", "otp"}) ||
			found.IdP != "0oa1" || !found.AuthTime.Equal(started.AuthTime) || found.AuthTime.IsZero() {
			t.Errorf("found %+v, error %v; want %+v", found, err, started)
		}
		if byID, err := s.ByID(t.Context(), started.ID); err != nil || byID.UserID != "00u1" {
			t.Errorf("by ID: %+v, %v", byID, err)
		}
		if err := s.End(t.Context(), started.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := find(t, s, c); !errors.Is(err, ErrNone) {
			t.Errorf("ended session: error %v, want ErrNone", err)
		}
		if err := s.End(t.Context(), started.ID); err != nil {
			t.Errorf("ending it again: %v", err)
		}
	})
}

func TestNoSession(t *testing.T) {
	s := newStore(t, sqldbtest.SQLite(t))
	_, good := start(t, s, NewSession{UserID: "00u1"})
	for name, value := range map[string]string{
		"empty": "", "truncated": good.Value[:42], "extended": good.Value + "A", "other": strings.Repeat("A", 43),
		"other case": flip(good.Value),
	} {
		if _, err := find(t, s, &http.Cookie{Name: good.Name, Value: value}); !errors.Is(err, ErrNone) {
			t.Errorf("%s: error %v, want ErrNone", name, err)
		}
	}
	if _, err := find(t, s, nil); !errors.Is(err, ErrNone) {
		t.Errorf("no cookie: error %v, want ErrNone", err)
	}
}

// flip changes the case of the first letter.
func flip(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return r >= 'A' })
	return s[:i] + string(rune(s[i]^0x20)) + s[i+1:]
}

func TestSessionExpires(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := newStore(t, db)
		now := time.Now()
		s.Now = func() time.Time { return now }
		started, c := start(t, s, NewSession{UserID: "00u1"})
		now = now.Add(Lifetime - time.Second)
		if _, err := find(t, s, c); err != nil {
			t.Errorf("before its end: %v", err)
		}
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(2 * time.Second)
		if _, err := find(t, s, c); !errors.Is(err, ErrNone) {
			t.Errorf("after its end: error %v, want ErrNone", err)
		}
		if _, err := s.ByID(t.Context(), started.ID); !errors.Is(err, ErrNone) {
			t.Errorf("by ID after its end: error %v, want ErrNone", err)
		}
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRow(t.Context(), `SELECT count(*) FROM sessions`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows after the sweep, error %v; want none", n, err)
		}
	})
}

// EndUser ends every session of a user, and of nobody else, together with the change
// that asks for it: when that is undone, they live on.
func TestEndUser(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := newStore(t, db)
		_, one := start(t, s, NewSession{UserID: "00u1"})
		_, two := start(t, s, NewSession{UserID: "00u1"})
		_, other := start(t, s, NewSession{UserID: "00u2"})
		undone := errors.New("undone")
		err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			if err := s.EndUser(tx, "00u1"); err != nil {
				return err
			}
			return undone
		})
		if _, ferr := find(t, s, one); !errors.Is(err, undone) || ferr != nil {
			t.Errorf("after an undone change: %v, %v", err, ferr)
		}
		if err := db.Write(t.Context(), func(tx *sqldb.Tx) error { return s.EndUser(tx, "00u1") }); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]*http.Cookie{"first": one, "second": two} {
			if _, err := find(t, s, c); !errors.Is(err, ErrNone) {
				t.Errorf("%s session: error %v, want ErrNone", name, err)
			}
		}
		if _, err := find(t, s, other); err != nil {
			t.Errorf("session of another user: %v", err)
		}
	})
}

func TestStartReplaces(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := newStore(t, db)
		old, c := start(t, s, NewSession{UserID: "00u1"})
		next, _ := start(t, s, NewSession{UserID: "00u2", Replace: old.ID})
		if _, err := find(t, s, c); !errors.Is(err, ErrNone) || next.ID == old.ID {
			t.Errorf("replaced session: error %v, IDs %s and %s", err, old.ID, next.ID)
		}
	})
}

func TestCookies(t *testing.T) {
	t.Parallel()
	plain, secure := newStore(t, nil), newStore(t, nil)
	secure.Secure = true
	if got := secure.CookieName(); got != "__Host-provost" {
		t.Errorf("name over https is %s", got)
	}
	if got := plain.CookieName(); !strings.HasPrefix(got, "provost-") {
		t.Errorf("name over http is %s", got)
	}
	keys, err := keyring.New([]byte(strings.Repeat("k", keyring.KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	neighbour := &Store{Keys: keys}
	if neighbour.CookieName() == plain.CookieName() {
		t.Error("two servers on one host, on two ports, share a cookie")
	}
	c := secure.Cookie("-x", "v", time.Minute)
	if c.Name != "__Host-provost-x" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 60 {
		t.Errorf("cookie is %s", c)
	}
	if c := secure.ClearCookie(); c.MaxAge != -1 || c.Name != "__Host-provost" {
		t.Errorf("clearing cookie is %s", c)
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	s := newStore(t, nil)
	now := time.Now().UTC().Truncate(time.Microsecond)
	s.Now = func() time.Time { return now }
	want := Request{ReturnTo: "/oauth2/v1/authorize?x=1", RedirectURI: "https://app.example/cb", ClientID: "0oa1", ClientName: "Äpp",
		LoginHint: "ada", IdP: "0oa2", Force: true, MaxAge: time.Hour, IssuedAt: now}
	sealed := s.SealRequest(want)
	got, err := s.OpenRequest(sealed)
	if err != nil || got != want {
		t.Errorf("opened %+v, error %v; want %+v", got, err, want)
	}
	if again := s.SealRequest(want); again == sealed {
		t.Error("two seals of one request are equal")
	}
	now = now.Add(RequestAge + time.Second)
	if got, err = s.OpenRequest(sealed); !errors.Is(err, ErrStaleRequest) || got.ReturnTo != want.ReturnTo {
		t.Errorf("old request: %+v, error %v; want it with ErrStaleRequest", got, err)
	}
}

func TestForgedRequest(t *testing.T) {
	t.Parallel()
	s := newStore(t, nil)
	sealed := s.SealRequest(Request{ReturnTo: "/x"})
	keys, err := keyring.New([]byte(strings.Repeat("k", keyring.KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	for name, forged := range map[string]string{
		"empty": "", "rubbish": "AAAA", "not base64": "!", "truncated": sealed[:len(sealed)-2], "padded": sealed + "=",
		"changed": flip(sealed), "other key": (&Store{Keys: keys}).SealRequest(Request{ReturnTo: "/x"}),
		"too long": strings.Repeat("A", MaxSealed+1), "elsewhere": s.SealRequest(Request{ReturnTo: "//evil.example"}),
	} {
		if got, err := s.OpenRequest(forged); !errors.Is(err, ErrBadRequest) || got != (Request{}) {
			t.Errorf("%s: %+v, error %v; want ErrBadRequest", name, got, err)
		}
	}
}

// FuzzLocal: what Local takes never leaves the host, as a browser joins it.
func FuzzLocal(f *testing.F) {
	for _, seed := range []string{"/", "/x?y", "//evil", `/\evil`, "/\tevil", "https://evil", "/\x00/evil", "/ /evil", "/./\\evil"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if !Local(target) {
			return
		}
		// The URL standard drops tab and newline, and reads a backslash as a slash.
		seen := strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(target)
		if strings.HasPrefix(seen, "//") || !strings.HasPrefix(seen, "/") {
			t.Errorf("Local takes %q, which a browser reads as %q", target, seen)
		}
	})
}

// FuzzOpenRequest: nothing that SealRequest did not make opens.
func FuzzOpenRequest(f *testing.F) {
	s := newStore(f, nil)
	f.Add(s.SealRequest(Request{ReturnTo: "/x"}))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, sealed string) {
		r, err := s.OpenRequest(sealed)
		if err == nil && s.now().Sub(r.IssuedAt) > RequestAge {
			t.Errorf("opened a stale request %+v", r)
		}
		if errors.Is(err, ErrBadRequest) && r != (Request{}) {
			t.Errorf("a refused request came with %+v", r)
		}
	})
}
