package ldap

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/testserver"
	"github.com/provost-id/provost/provisioning"
)

// TestBindEndsWithItsContext: whoever stops is not held up by a server that takes
// connections and never answers. The timeout is longer than a test may run.
func TestBindEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address := fake(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 512)) // the bind
		cancel()
		_, _ = c.Read(make([]byte, 512)) // until the client closes
	})
	cfg := config(&testserver.LDAP{})
	cfg["url"] = address
	c := open(t, cfg, Options{Timeout: time.Hour})
	if _, err := c.Describe(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the context ended", err)
	}
	if _, err := c.Describe(ctx); errors.Is(err, provisioning.ErrDenied) {
		t.Errorf("got %v: nobody denied anything", err)
	}
}
