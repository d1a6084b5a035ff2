package webhook

import (
	"io"
	"net/http"

	"github.com/provost-id/provost/plugins"
)

// maxRequest bounds what Handler reads.
const maxRequest = 1 << 20

// Handler serves hooks that are written in Go. It answers 401 to a request that
// provost did not sign with the secret, or that it has answered before, and 500 when
// the hook fails.
func Handler(secret string, hooks plugins.Hooks) (http.Handler, error) {
	v, err := NewVerifier(secret)
	if err != nil {
		return nil, err
	}
	return &handler{verifier: v, hooks: hooks}, nil
}

type handler struct {
	verifier *Verifier
	hooks    plugins.Hooks
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "body cannot be read", http.StatusBadRequest)
		return
	}
	if err := h.verifier.Verify(r.Header, body); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	answer, err := h.hooks.Call(r.Context(), body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // provost has gone; there is nobody to tell
}
