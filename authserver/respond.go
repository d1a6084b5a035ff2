package authserver

import (
	"encoding/json"
	"html/template"
	"net/http"
)

// writeJSON answers with something that must not be kept (RFC 6749, section 5.1).
func writeJSON(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil { // only for a type that cannot be encoded
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json;charset=UTF-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client has gone; there is nobody to tell
}

// page is what our own pages are rendered from: no script, nothing from elsewhere, and
// no frame around them. formAction, when set, is where a form may lead.
func writePage(w http.ResponseWriter, status int, t *template.Template, formAction string, data any) {
	h := w.Header()
	if formAction == "" {
		formAction = "'none'"
	}
	h.Set("Content-Type", "text/html;charset=UTF-8")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action "+formAction)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = t.Execute(w, data) // the client has gone; there is nobody to tell
}

var errorPage = template.Must(template.New("error").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Request refused</title></head>
<body><h1>This request cannot be answered</h1><p>{{.Description}}</p><p><code>{{.Code}}</code></p></body></html>
`))

var logoutPage = template.Must(template.New("logout").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign out</title></head>
<body><h1>{{if .Done}}You are signed out{{else}}Sign out?{{end}}</h1>
{{if not .Done}}<form method="post" action="{{.Action}}">{{range $name, $value := .Hidden}}
<input type="hidden" name="{{$name}}" value="{{$value}}">{{end}}
<button type="submit">Sign out</button></form>{{end}}</body></html>
`))

// formPostPage answers response_mode=form_post (OAuth 2.0 Form Post Response Mode).
// The button is for a browser that runs no script.
var formPostPage = template.Must(template.New("form_post").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Continue</title></head>
<body onload="document.forms[0].submit()"><form method="post" action="{{.RedirURL}}">{{range $name, $values := .Parameters}}{{range $values}}
<input type="hidden" name="{{$name}}" value="{{.}}">{{end}}{{end}}
<button type="submit">Continue</button></form></body></html>
`))
