// Package layout owns the look of every page that a person sees: the style sheet and the
// frame around what a page says. What that is, where a form leads and under which
// policy a browser shows the page is left to the packages that serve it.
package layout

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io/fs"
	"net/http"
)

// StylePath is where ServeStyle belongs.
const StylePath = "/signin/style.css"

//go:embed layout.html style.css
var files embed.FS

var (
	style = mustRead("style.css")
	frame = template.Must(template.New("").Funcs(template.FuncMap{"style": StyleHref}).ParseFS(files, "layout.html"))
)

func mustRead(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil { // it is part of the binary
		panic(err)
	}
	return b
}

// StyleHref is the address of the style sheet. It names the content by its hash, so
// that a browser may keep it for good.
func StyleHref() string {
	sum := sha256.Sum256(style)
	return StylePath + "?v=" + base64.RawURLEncoding.EncodeToString(sum[:9])
}

// Parse returns the templates of fsys that match the patterns, each under its file's
// name, beside those that they are made of: head, which takes the fields Title, Client
// and Problem; problem, which takes Problem, Code, Detail and Wait; and foot. It is for
// templates that are part of the binary, and panics when one does not parse.
func Parse(fsys fs.FS, patterns ...string) *template.Template {
	t := template.Must(frame.Clone())
	return template.Must(t.ParseFS(fsys, patterns...))
}

// ServeStyle serves the style sheet.
func ServeStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(style) // the client has gone; there is nobody to tell
}
