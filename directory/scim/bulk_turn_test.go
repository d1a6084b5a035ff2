package scim

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// A node holds so many bulk requests in memory and no more: the next one waits for its
// turn, and not for ever.
func TestBulk_AwaitsItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{bulks: make(chan struct{}, maxBulks)}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Base+"/Bulk", nil)
		for range maxBulks {
			if err := s.awaitTurn(r); err != nil {
				t.Fatal(err)
			}
		}
		begun := time.Now()
		var busy *statusError
		if err := s.awaitTurn(r); !errors.As(err, &busy) || busy.status != http.StatusServiceUnavailable || time.Since(begun) != bulkPatience {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		go func() {
			time.Sleep(time.Second)
			<-s.bulks
		}()
		if err := s.awaitTurn(r); err != nil {
			t.Errorf("when another ends: %v", err)
		}
	})
}
