package ldap

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a connection or a goroutine outlives the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
