package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/provost-id/provost/directory"
	wire "github.com/provost-id/provost/schemas/scim"
)

// TestDescribe_Busy: what the database had no time for is worth another try, and no
// fault of ours that nobody knows.
func TestDescribe_Busy(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]int{
		fmt.Errorf("begin: %w", context.DeadlineExceeded):                         http.StatusServiceUnavailable,
		errors.Join(errors.New("transaction too long"), context.DeadlineExceeded): http.StatusServiceUnavailable,
		errors.New("disk full"): http.StatusInternalServerError,
	} {
		if got, _, _ := describe(err); got != want {
			t.Errorf("%v: status %d, want %d", err, got, want)
		}
	}
}

// TestRFC7644_3_12_InternalError: an error of ours has the form of any other. What it was
// stands in the log, and not in the answer.
func TestRFC7644_3_12_InternalError(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := &Server{Directory: &directory.Directory{Log: slog.New(slog.NewJSONHandler(&log, nil))}}
	w := httptest.NewRecorder()
	s.writeError(w, httptest.NewRequest(http.MethodGet, Base+"/Users", nil), errors.New("disk full"))
	var e struct {
		Schemas        []string
		Status, Detail string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != wire.MediaType || e.Status != "500" || len(e.Schemas) != 1 || !strings.HasPrefix(e.Detail, "internal error; request") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if strings.Contains(w.Body.String(), "disk") || !strings.Contains(log.String(), "disk full") {
		t.Errorf("answer %s, log %s", w.Body, log.String())
	}
}
