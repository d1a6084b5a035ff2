package story

import (
	"context"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// TestStory is the main job, end to end, on SQLite: slapd, scimmy, two provosts.
func TestStory(t *testing.T) { tell(t, Options{}) }

// TestStoryOnTwoNodes is the main job on two nodes that share a PostgreSQL database:
// every request goes to the other node than the one before it.
func TestStoryOnTwoNodes(t *testing.T) {
	tell(t, Options{DatabaseURL: sqldbtest.Schema(t)})
}

func tell(t *testing.T, o Options) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	o.Dir, o.Say = t.TempDir(), t.Logf
	w, err := Build(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
}
