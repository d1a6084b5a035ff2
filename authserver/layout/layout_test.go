package layout

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestParse(t *testing.T) {
	t.Parallel()
	pages := Parse(fstest.MapFS{"x.html": {Data: []byte(`{{template "head" .}}{{template "problem" .}}{{template "foot" .}}`)}}, "*.html")
	var b strings.Builder
	v := struct {
		Title, Client, Problem, Detail, Code string
		Wait                                 int
	}{Title: "T", Client: "<i>", Problem: "<b>", Wait: 1}
	if err := pages.ExecuteTemplate(&b, "x.html", v); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="en">`, `name="viewport"`, `href="` + StyleHref() + `"`, "<title>Error: T – &lt;i&gt;</title>", "&lt;b&gt;", "1 second."} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %s:\n%s", want, &b)
		}
	}
}

func TestServeStyle(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	ServeStyle(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, StyleHref(), nil))
	if w.Header().Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Body.Len() == 0 {
		t.Errorf("got %v", w.Header())
	}
}
