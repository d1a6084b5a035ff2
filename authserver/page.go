package authserver

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"

	"github.com/provost-id/provost/authserver/layout"
)

//go:embed html
var pageFiles embed.FS

var pages = layout.Parse(pageFiles, "html/*.html")

// view is what our pages show.
type view struct {
	Title, Client         string
	Problem, Detail, Code string
	Wait                  int
	Action                string // where the form leads, empty for no form
	Hidden                map[string]string
}

// writePage renders one of our own pages: no script, nothing from elsewhere, and no
// frame around it. formAction is where a form may lead, empty for nowhere.
func writePage(w http.ResponseWriter, status int, name, formAction string, v view) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil { // a fault of the template, met by its first test
		panic(err)
	}
	if formAction == "" {
		formAction = "'none'"
	}
	h := w.Header()
	h.Set("Content-Type", "text/html;charset=UTF-8")
	h.Set("Content-Security-Policy", pagePolicy+"; form-action "+formAction)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client has gone; there is nobody to tell
}

const pagePolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"

// writeErrorPage tells a person what is sent to no client.
func writeErrorPage(w http.ResponseWriter, e *Error) {
	writePage(w, e.Status, "error.html", "", view{
		Title: "This request cannot be answered", Problem: e.Description, Detail: e.Code, Code: e.Code,
	})
}

// formPostPage answers response_mode=form_post (OAuth 2.0 Form Post Response Mode).
// The button is for a browser that runs no script.
var formPostPage = pages.Lookup("form_post.html")

// submitScript is all that the page of form_post may run.
const submitScript = "document.forms[0].submit()"

var formPostPolicy = func() string {
	sum := sha256.Sum256([]byte(submitScript))
	return pagePolicy + "; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// setFormPostPolicy keeps the page out of frames and lets it run its one script (ADV-35).
// There is no form-action: a browser holds it against every redirect that follows.
func setFormPostPolicy(w http.ResponseWriter) {
	w.Header().Set("Content-Security-Policy", formPostPolicy)
	w.Header().Set("Referrer-Policy", "no-referrer")
}
