package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
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
