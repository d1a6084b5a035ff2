package sqldb

import "context"

// Notify tells every listener of the channel, on every node, once the transaction is
// durable. It is a hint that makes others look sooner: a poll lies beneath each use.
// payload is a few identifiers at most, never a secret.
//
// On PostgreSQL the commits of all transactions that notify happen one after another,
// so a path that many callers take at once uses Tx.Wake instead.
func (db *DB) Notify(tx *Tx, channel, payload string) error {
	if db.dialect == PostgreSQL {
		return db.notifyPostgres(tx, channel, payload)
	}
	tx.AfterCommit(func() { db.bus.publish(channel, payload) })
	return nil
}

// Wake tells the listeners of the channel on this node, once the transaction is
// durable. It costs no statement.
func (tx *Tx) Wake(channel string) {
	tx.AfterCommit(func() { tx.db.bus.publish(channel, "") })
}

// Listen calls fn for every Notify and Wake on the channel until ctx ends, and then
// returns nil. fn runs in the goroutine of whoever notifies: it only wakes somebody
// and returns. An empty payload may also mean that notifications were missed.
func (db *DB) Listen(ctx context.Context, channel string, fn func(payload string)) error {
	defer db.bus.subscribe(channel, fn)()
	if db.dialect == PostgreSQL {
		defer db.listenPostgres()()
	}
	<-ctx.Done()
	return nil
}
