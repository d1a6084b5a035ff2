package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/httpapi"
)

// tokens is an Authenticator of a test: token -> scopes.
type tokens map[string][]string

func (ts tokens) Authenticate(_ context.Context, token string) (httpapi.Principal, error) {
	if token == "broken" {
		return httpapi.Principal{}, errors.New("database is gone: password=hunter2")
	}
	scopes, ok := ts[token]
	if !ok {
		return httpapi.Principal{}, httpapi.ErrUnauthenticated
	}
	return httpapi.Principal{ID: token, Type: "Token", Scopes: scopes}, nil
}

type thing struct {
	Name  string `json:"name" minLength:"2"`
	Count int    `json:"count"`
}

// newAPI serves a small management API: GET and POST /api/v1/things.
func newAPI(t *testing.T, log io.Writer) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	api := httpapi.NewAPI(mux, httpapi.APIOptions{Version: "test", Auth: tokens{
		"reader": {httpapi.ScopeManageRead}, "manager": {httpapi.ScopeManage}, "scim": {httpapi.ScopeSCIM}}})
	type list struct {
		httpapi.Paging
		Q string `query:"q"`
	}
	huma.Register(api, huma.Operation{OperationID: "listThings", Method: "GET", Path: "/api/v1/things"},
		func(ctx context.Context, in *list) (*httpapi.List[thing], error) {
			if in.After == "end" {
				return httpapi.NewList[thing](ctx, nil, ""), nil
			}
			return httpapi.NewList(ctx, []thing{{Name: httpapi.Caller(ctx).ID}}, "c 1&x"), nil
		})
	huma.Register(api, huma.Operation{OperationID: "createThing", Method: "POST", Path: "/api/v1/things", DefaultStatus: 201, MaxBodyBytes: 1000},
		func(_ context.Context, in *struct{ Body thing }) (*struct{ Body thing }, error) {
			switch in.Body.Name {
			case "taken":
				return nil, fmt.Errorf("create thing: %w", httpapi.Conflict("name", "name: taken"))
			case "secret":
				return nil, errors.New("database is gone: password=hunter2")
			case "panic":
				panic("oh no")
			}
			return &struct{ Body thing }{in.Body}, nil
		})
	huma.Register(api, huma.Operation{OperationID: "mergeThing", Method: "POST", Path: "/api/v1/things/{id}"},
		func(_ context.Context, in *struct {
			ID   string `path:"id"`
			Body httpapi.RawBody
		}) (*struct{ Body thing }, error) {
			out := thing{Name: "kept", Count: 1}
			for name, into := range map[string]any{"name": &out.Name, "count": &out.Count} {
				if _, err := in.Body.Field(name, into); err != nil {
					return nil, err
				}
			}
			return &struct{ Body thing }{out}, nil
		})
	logger := slog.New(slog.NewJSONHandler(log, nil))
	s := httptest.NewServer(httpapi.Middleware(httpapi.Options{Log: logger, PublicURL: "https://id.example/"})(httpapi.Mux(mux)))
	t.Cleanup(s.Close)
	return s
}

type reply struct {
	status int
	header http.Header
	body   string
}

func call(t *testing.T, s *httptest.Server, method, path, token, body string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // read to the end below
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(b)}
}

func (r reply) code(t *testing.T) string {
	t.Helper()
	var e struct {
		Code    string                          `json:"errorCode"`
		Summary string                          `json:"errorSummary"`
		Link    string                          `json:"errorLink"`
		ID      string                          `json:"errorId"`
		Causes  []struct{ ErrorSummary string } `json:"errorCauses"`
	}
	if err := json.Unmarshal([]byte(r.body), &e); err != nil {
		t.Fatalf("error body %q: %v", r.body, err)
	}
	if e.Summary == "" || e.Link != e.Code || !strings.HasPrefix(e.ID, "oae") || len(e.ID) != 20 || e.Causes == nil {
		t.Errorf("error body %s lacks what the contract says", r.body)
	}
	if ct := r.header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type of an error is %q", ct)
	}
	return e.Code
}

func TestErrorsOfTheManagementAPI(t *testing.T) {
	var log strings.Builder
	s := newAPI(t, &log)
	big := `{"name":"` + strings.Repeat("x", 2000) + `"}`
	for name, c := range map[string]struct {
		method, path, token, body string
		status                    int
		code                      string
	}{
		"no credential":      {"GET", "/api/v1/things", "", "", 401, httpapi.EInvalidToken},
		"unknown token":      {"GET", "/api/v1/things", "Bearer nobody", "", 401, httpapi.EInvalidToken},
		"basic":              {"GET", "/api/v1/things", "Basic bWFuYWdlcjo=", "", 401, httpapi.EInvalidToken},
		"read scope writes":  {"POST", "/api/v1/things", "Bearer reader", `{"name":"ab"}`, 403, httpapi.EForbidden},
		"other scope reads":  {"GET", "/api/v1/things", "Bearer scim", "", 403, httpapi.EForbidden},
		"authenticator down": {"GET", "/api/v1/things", "Bearer broken", "", 500, httpapi.EInternal},
		"malformed":          {"POST", "/api/v1/things", "Bearer manager", `{"name":`, 400, httpapi.EMalformed},
		"wrong type":         {"POST", "/api/v1/things", "Bearer manager", `{"name":7}`, 400, httpapi.EValidation},
		"too short":          {"POST", "/api/v1/things", "Bearer manager", `{"name":"a"}`, 400, httpapi.EValidation},
		"no body":            {"POST", "/api/v1/things", "Bearer manager", "", 400, httpapi.EInvalidRequest},
		"too large":          {"POST", "/api/v1/things", "Bearer manager", big, 413, httpapi.EMalformed},
		"bad limit":          {"GET", "/api/v1/things?limit=x", "Bearer manager", "", 400, httpapi.EValidation},
		"wrapped conflict":   {"POST", "/api/v1/things", "Bearer manager", `{"name":"taken"}`, 409, httpapi.EConflict},
		"unknown error":      {"POST", "/api/v1/things", "Bearer manager", `{"name":"secret"}`, 500, httpapi.EInternal},
		"panic":              {"POST", "/api/v1/things", "Bearer manager", `{"name":"panic"}`, 500, httpapi.EInternal},
		"unknown path":       {"GET", "/api/v1/nothing", "Bearer manager", "", 404, httpapi.ENoPath},
		"unknown method":     {"PATCH", "/api/v1/things", "Bearer manager", "", 405, httpapi.EMethod},
		"merge wrong type":   {"POST", "/api/v1/things/1", "Bearer manager", `{"count":"x"}`, 400, httpapi.EValidation},
	} {
		t.Run(name, func(t *testing.T) {
			r := call(t, s, c.method, c.path, c.token, c.body)
			if r.status != c.status || r.code(t) != c.code {
				t.Errorf("got %d %s, want %d %s", r.status, r.body, c.status, c.code)
			}
			if strings.Contains(r.body, "hunter2") {
				t.Errorf("an internal error tells its text: %s", r.body)
			}
		})
	}
	if !strings.Contains(log.String(), "database is gone") {
		t.Error("an internal error was not logged")
	}
}

// The challenge is that of RFC 6750, section 3: no error code for a request that
// carried no credential, and the scope that is missing.
func TestRFC6750_3_Challenge(t *testing.T) {
	s := newAPI(t, io.Discard)
	for name, c := range map[string]struct{ method, token, want string }{
		"none":    {"GET", "", `Bearer realm="provost"`},
		"unknown": {"GET", "SSWS nobody", `Bearer realm="provost", error="invalid_token", error_description="the token is unknown, expired or revoked"`},
		"scope":   {"POST", "Bearer reader", `Bearer realm="provost", error="insufficient_scope", scope="manage"`},
		"read":    {"GET", "Bearer scim", `Bearer realm="provost", error="insufficient_scope", scope="manage.read"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := call(t, s, c.method, "/api/v1/things", c.token, "")
			if got := r.header.Get("WWW-Authenticate"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestUnknownMethodNamesTheKnown(t *testing.T) {
	r := call(t, newAPI(t, io.Discard), "DELETE", "/api/v1/things", "", "")
	if got := r.header.Get("Allow"); got != "GET, HEAD, POST" {
		t.Errorf("Allow is %q", got)
	}
}

func TestSchemesOfTheCredential(t *testing.T) {
	s := newAPI(t, io.Discard)
	for _, token := range []string{"Bearer reader", "SSWS reader", "bearer reader", "ssws  reader", "Bearer manager"} {
		if r := call(t, s, "GET", "/api/v1/things?after=end", token, ""); r.status != 200 || strings.TrimSpace(r.body) != "[]" {
			t.Errorf("%q: got %d %s", token, r.status, r.body)
		}
	}
}

// okta-sdk-golang reads the first page for ever when the links stand in one line.
func TestLinksStandInLinesOfTheirOwn(t *testing.T) {
	s := newAPI(t, io.Discard)
	r := call(t, s, "GET", "/api/v1/things?limit=2&q=a%20b", "Bearer reader", "")
	want := []string{
		`<https://id.example/api/v1/things?limit=2&q=a+b>; rel="self"`,
		`<https://id.example/api/v1/things?after=c+1%26x&limit=2&q=a+b>; rel="next"`,
	}
	if diff := cmp.Diff(want, r.header.Values("Link")); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(r.body, "$schema") {
		t.Errorf("body carries $schema: %s", r.body)
	}
	r = call(t, s, "GET", "/api/v1/things?after=end", "Bearer reader", "")
	if links := r.header.Values("Link"); len(links) != 1 || !strings.Contains(links[0], `rel="self"`) {
		t.Errorf("last page links to %q", links)
	}
}

func TestRawBodyMerges(t *testing.T) {
	s := newAPI(t, io.Discard)
	for body, want := range map[string]thing{
		`{}`:                       {Name: "kept", Count: 1},
		`{"name":null}`:            {Name: "", Count: 1},
		`{"name":"n","count":9}`:   {Name: "n", Count: 9},
		`{"more":{"a":[1]}}`:       {Name: "kept", Count: 1},
		`{"count":null,"name":""}`: {},
	} {
		r := call(t, s, "POST", "/api/v1/things/1", "Bearer manager", body)
		var got thing
		if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.status != 200 || got != want {
			t.Errorf("%s: got %d %s, want %+v", body, r.status, r.body, want)
		}
	}
}

func TestMerge(t *testing.T) {
	got := httpapi.Merge(map[string]any{"keep": 1, "drop": 2, "deep": map[string]any{"a": 1, "b": 2}, "flat": "x"},
		map[string]any{"drop": nil, "deep": map[string]any{"b": nil, "c": 3}, "flat": map[string]any{"y": nil, "z": 1}, "new": []any{1}})
	want := map[string]any{"keep": 1, "deep": map[string]any{"a": 1, "c": 3}, "flat": map[string]any{"z": 1}, "new": []any{1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := httpapi.Merge(nil, map[string]any{"a": nil}); len(got) != 0 || got == nil {
		t.Errorf("merge into nothing gave %v", got)
	}
}

func TestOpenAPIDocument(t *testing.T) {
	r := call(t, newAPI(t, io.Discard), "GET", "/api/v1/openapi.json", "", "")
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ Responses map[string]any }
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal([]byte(r.body), &doc); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Paths["/api/v1/things"]["post"].Responses == nil {
		t.Errorf("document is OpenAPI %q with paths %v", doc.OpenAPI, doc.Paths)
	}
	found := false
	for name, s := range doc.Components.Schemas {
		found = found || strings.Contains(name, "rror") && s.Properties["errorCode"] != nil
	}
	if !found {
		t.Errorf("no schema describes the error body: %v", doc.Components.Schemas)
	}
}
