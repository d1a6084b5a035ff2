package scim

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// A node holds so many large requests in memory and no more: the next one waits for its
// turn, and not for ever.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := make(turns, maxBulks)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Base+"/Bulk", nil)
		for range maxBulks {
			if _, err := all.await(r); err != nil {
				t.Fatal(err)
			}
		}
		begun := time.Now()
		var busy *statusError
		if _, err := all.await(r); !errors.As(err, &busy) || busy.status != http.StatusServiceUnavailable || time.Since(begun) != patience {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		go func() {
			time.Sleep(time.Second)
			<-all
		}()
		end, err := all.await(r)
		if err != nil {
			t.Errorf("when another ends: %v", err)
		}
		if end(); len(all) != maxBulks-1 {
			t.Errorf("%d have turns, want %d", len(all), maxBulks-1)
		}
	})
}
