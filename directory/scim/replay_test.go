package scim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/directory/scim/exchange"
	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

const exchanges = "../../testdata/scim"

// TestDialects_Replay sends what each client is known to send, file by file, on both
// engines. A new file in testdata/scim/<client> needs nothing here.
func TestDialects_Replay(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(exchanges, "*", "*.json"))
	if err != nil || len(files) < 18 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	each(t, func(t *testing.T, s *service, cleaner *client) {
		for _, name := range files {
			client := filepath.Base(filepath.Dir(name))
			t.Run(client+"/"+strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
				f, err := exchange.Load(name)
				if err != nil {
					t.Fatal(err)
				}
				replay(t, s, cleaner, f)
			})
		}
	})
}

func replay(t *testing.T, s *service, cleaner *client, f *exchange.File) {
	secret, token, err := s.tokens.Create(t.Context(), events.System, apitoken.NewToken{
		Name: f.Client, Scopes: []string{httpapi.ScopeSCIM}, TTL: time.Hour, Settings: apitoken.Settings{Dialect: f.Dialect},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := exchange.Player{Base: s.url, Token: secret, Inspect: strictOut}
	if err := p.Play(t.Context(), f); err != nil {
		t.Error(err)
	}
	if token, err = s.tokens.Token(t.Context(), token.ID); err != nil || token.Detected != f.Detected {
		t.Errorf("detected %q, %v, want %q", token.Detected, err, f.Detected)
	}
	for _, location := range slices.Backward(p.Created) { // the next file finds nothing
		if r := cleaner.do("DELETE", strings.TrimPrefix(location, publicURL+"/scim/v2"), ""); r.status != http.StatusNoContent && r.status != http.StatusNotFound {
			t.Errorf("clean up %s: %d %s", location, r.status, r.raw)
		}
	}
}

// strictOut holds every answer to the RFCs, whatever was asked in which dialect.
func strictOut(status int, header http.Header, body []byte) error {
	if len(body) == 0 {
		if status == http.StatusOK || status == http.StatusCreated || status >= 400 {
			return fmt.Errorf("no body with status %d", status)
		}
		return nil
	}
	var all []error
	if got := header.Get("Content-Type"); got != "application/scim+json" {
		all = append(all, fmt.Errorf("Content-Type %q", got))
	}
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if list, ok := m["Resources"].([]any); ok {
		if total, ok := m["totalResults"].(float64); !ok || int(total) < len(list) {
			all = append(all, fmt.Errorf("totalResults %v of %d", m["totalResults"], len(list)))
		}
		for _, r := range list {
			all = append(all, strictResource(r.(map[string]any)))
		}
	} else {
		all = append(all, strictResource(m))
	}
	return errors.Join(all...)
}

// strictResource parses a resource, or an error, by the strict dialect.
func strictResource(m map[string]any) error {
	urns, _ := m["schemas"].([]any)
	if len(urns) == 0 {
		return fmt.Errorf("no schemas in %v", m)
	}
	switch urns[0] {
	case "urn:ietf:params:scim:api:messages:2.0:Error":
		if m["detail"] == nil || m["status"] == nil {
			return fmt.Errorf("error without status or detail: %v", m)
		}
		return nil
	case "urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group":
	default:
		return nil
	}
	if m["meta"] == nil { // a projection left required attributes out
		return nil
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	snapshot, err := schemas.Compile(1, schemas.Default())
	if err != nil {
		return err
	}
	typ, _ := snapshot.Type(strings.TrimPrefix(urns[0].(string), "urn:ietf:params:scim:schemas:core:2.0:"))
	_, err = typ.Parse(body, schemas.Strict)
	return err
}
