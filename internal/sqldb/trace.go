package sqldb

// Trace calls fn with every statement from now on, those of transactions that begin,
// commit and name savepoints left out; nil ends it. fn may be called from any goroutine.
// It is for counting what an operation costs.
func (db *DB) Trace(fn func(statement string)) {
	if fn == nil {
		db.trace.Store(nil)
		return
	}
	db.trace.Store(&fn)
}

func (db *DB) traced(statement string) {
	if fn := db.trace.Load(); fn != nil {
		(*fn)(statement)
	}
}
