package authserver

import (
	"encoding/json"
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
