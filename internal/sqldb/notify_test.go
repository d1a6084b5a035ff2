package sqldb_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// listen starts a listener and returns what it hears. It is ready when this returns.
func listen(t *testing.T, db *sqldb.DB, channel string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	heard, done := make(chan string, 100), make(chan struct{})
	go func() {
		defer close(done)
		if err := db.Listen(ctx, channel, func(p string) { heard <- p }); err != nil {
			t.Errorf("Listen: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	for ready := false; !ready; { // until a notification of its own comes through
		write(t, db, func(tx *sqldb.Tx) error { return db.Notify(tx, channel, "ready?") })
		select {
		case p := <-heard:
			ready = p == "ready?"
		case <-time.After(20 * time.Millisecond):
		}
	}
	return heard
}

func expect(t *testing.T, heard <-chan string, want string) {
	t.Helper()
	for timeout := time.After(10 * time.Second); ; {
		select {
		case got := <-heard:
			if got == "ready?" {
				continue
			}
			if got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
			return
		case <-timeout:
			t.Fatalf("heard nothing, want %q", want)
		}
	}
}

func TestNotify(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		a, b := listen(t, db, "a"), listen(t, db, "b")
		write(t, db, func(tx *sqldb.Tx) error { return db.Notify(tx, "a", "one two") })
		write(t, db, func(tx *sqldb.Tx) error { return db.Notify(tx, "b", "three") })
		expect(t, a, "one two")
		expect(t, b, "three")
	})
}

func TestNotifyIsOfTheTransaction(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		heard := listen(t, db, "a")
		_ = db.Write(t.Context(), func(tx *sqldb.Tx) error { // fails on purpose
			if err := db.Notify(tx, "a", "undone"); err != nil {
				t.Error(err)
			}
			tx.Wake("a")
			return context.Canceled
		})
		write(t, db, func(tx *sqldb.Tx) error { return db.Notify(tx, "a", "done") })
		expect(t, heard, "done")
	})
}

func TestWakeStaysOnTheNode(t *testing.T) {
	c := sqldb.Config{URL: sqldbtest.Schema(t)}
	here, there := sqldbtest.Open(t, c), sqldbtest.Open(t, c)
	heardHere, heardThere := listen(t, here, "a"), listen(t, there, "a")
	write(t, here, func(tx *sqldb.Tx) error { tx.Wake("a"); return nil })
	expect(t, heardHere, "")
	write(t, here, func(tx *sqldb.Tx) error { return here.Notify(tx, "a", "all") })
	expect(t, heardHere, "all")
	expect(t, heardThere, "all")
}

func TestNotifyStaysInTheOrganisation(t *testing.T) {
	ours, theirs := sqldbtest.PostgreSQL(t), sqldbtest.PostgreSQL(t)
	heard := listen(t, ours, "a")
	write(t, theirs, func(tx *sqldb.Tx) error { return theirs.Notify(tx, "a", "theirs") })
	write(t, ours, func(tx *sqldb.Tx) error { return ours.Notify(tx, "a", "ours") })
	expect(t, heard, "ours")
}

// A listening connection that is cut comes back, and says that something may have
// been missed.
func TestListenReconnects(t *testing.T) {
	db := sqldbtest.PostgreSQL(t)
	heard := listen(t, db, "a")
	write(t, db, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1`,
			`LISTEN "`+sqldb.NotifyChannel(db.Schema())+`"`)
		return err
	})
	expect(t, heard, "")
	write(t, db, func(tx *sqldb.Tx) error { return db.Notify(tx, "a", "again") })
	expect(t, heard, "again")
}

func TestNotifyChannelFitsPostgres(t *testing.T) {
	long := strings.Repeat("x", 63)
	if got := sqldb.NotifyChannel(long); len(got) > 63 || got == sqldb.NotifyChannel(long[:62]+"y") {
		t.Errorf("channel %q of a long schema name is too long or not its own", got)
	}
	if got := sqldb.NotifyChannel("acme"); got != "provost.acme" {
		t.Errorf("got %q", got)
	}
}
