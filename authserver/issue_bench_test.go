package authserver

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/provost-id/provost/authserver/session"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// BenchmarkClientCredentials is the token endpoint without a network; compare it with
// BenchmarkSignFloor of the same run.
func BenchmarkClientCredentials(b *testing.B) {
	keys, err := keyring.New(make([]byte, keyring.KeySize))
	if err != nil {
		b.Fatal(err)
	}
	db := sqldbtest.SQLite(b)
	s, err := New(b.Context(), Options{
		DB: db, Keys: keys, Sessions: &session.Store{DB: db, Keys: keys}, People: newPeople(), PublicURL: "https://id.example",
	})
	if err != nil {
		b.Fatal(err)
	}
	c, err := s.CreateClient(b.Context(), Change{}, Client{Name: "bench", ApplicationType: AppService})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.CreateScope(b.Context(), Change{}, DefaultServer, Scope{Name: "api"}); err != nil {
		b.Fatal(err)
	}
	mux := http.NewServeMux()
	s.Routes(mux)
	form := url.Values{"grant_type": {grantClientCredentials}, "scope": {"api"}}.Encode()
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/oauth2/default/v1/token", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(c.ID, c.Secret)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
}

// BenchmarkSignFloor is a handler that only signs a token of the same size.
func BenchmarkSignFloor(b *testing.B) {
	k, err := newKey(es256, keyActive)
	if err != nil {
		b.Fatal(err)
	}
	claims := map[string]any{
		"ver": 1, "jti": "AT." + strings.Repeat("x", secretLength), "iss": "https://id.example/oauth2/default", "aud": "api://default",
		"cid": "0oa0123456789abcdefg", "sub": "0oa0123456789abcdefg", "scp": []string{"api"}, "iat": 1_800_000_000, "exp": 1_800_003_600,
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := k.sign(k.access, claims)
		if err != nil {
			b.Error(err)
		}
		_, _ = w.Write([]byte(token))
	})
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/", nil)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
