package sqldb

import "time"

// Queued is the number of writes that wait for the SQLite writer.
func Queued(db *DB) int { return len(db.queue) }

// SetBudget changes the time that one closure may take.
func SetBudget(db *DB, d time.Duration) { db.budget = d }

// RewritePlaceholders is rewritePlaceholders.
func RewritePlaceholders(q string) string { return rewritePlaceholders(q) }

// MaxStatements and MaxRewrites bound the caches.
const (
	MaxStatements = maxStatements
	MaxRewrites   = maxRewrites
)

// Cached is how many statements and rewritten texts a database keeps.
func Cached(db *DB) (statements, rewrites int) {
	db.reads.mu.RLock()
	defer db.reads.mu.RUnlock()
	return len(db.reads.stmts), int(db.queries.size.Load())
}

// NotifyChannel is notifyChannel.
func NotifyChannel(schema string) string { return notifyChannel(schema) }
