package sqldb

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"sync/atomic"
)

// maxRewrites bounds the cache of the rewriter: filters make texts without end.
const maxRewrites = 4096

// rewriter turns $N into ?N for SQLite, once per statement text.
type rewriter struct {
	dialect Dialect
	cache   sync.Map // query text -> rewritten text
	size    atomic.Int64
}

func (r *rewriter) rewrite(query string) string {
	if r.dialect == PostgreSQL {
		return query
	}
	if q, ok := r.cache.Load(query); ok {
		return q.(string)
	}
	q := rewritePlaceholders(query)
	if r.size.Load() < maxRewrites {
		r.cache.Store(query, q)
		r.size.Add(1)
	}
	return q
}

// rewritePlaceholders replaces $N by ?N outside quoted text and line comments.
func rewritePlaceholders(query string) string {
	var b strings.Builder
	var quote byte // what ends the text in hand: a quote, or the line for a comment
	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '-' && strings.HasPrefix(query[i:], "--"):
			quote = '\n'
		case c == '$' && i+1 < len(query) && query[i+1] >= '0' && query[i+1] <= '9':
			c = '?'
		}
		b.WriteByte(c)
	}
	return b.String()
}

// maxStatements bounds a cache: filters make statements without end, and a
// statement beyond the bound is prepared per use.
const maxStatements = 512

// stmtCache keeps prepared statements by their text.
type stmtCache struct {
	mu     sync.RWMutex // guards stmts and wanted
	stmts  map[string]*sql.Stmt
	wanted []string
}

// get returns the statement, preparing it on first use; nil when the cache is full
// or the text does not prepare (running it then reports why).
func (c *stmtCache) get(ctx context.Context, db *sql.DB, q string) *sql.Stmt {
	c.mu.RLock()
	s, full := c.stmts[q], len(c.stmts) >= maxStatements
	c.mu.RUnlock()
	if s != nil || full {
		return s
	}
	s, err := db.PrepareContext(context.WithoutCancel(ctx), q)
	if err != nil {
		return nil
	}
	return c.put(q, s)
}

func (c *stmtCache) put(q string, s *sql.Stmt) *sql.Stmt {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.stmts[q]; old != nil {
		_ = s.Close() // prepared twice at once; the first stays
		return old
	}
	if c.stmts == nil {
		c.stmts = map[string]*sql.Stmt{}
	}
	c.stmts[q] = s
	return s
}

// want returns the statement or notes that it is wanted: inside a transaction the
// only connection is taken, so it is prepared after the commit.
func (c *stmtCache) want(q string) *sql.Stmt {
	c.mu.RLock()
	s, full := c.stmts[q], len(c.stmts) >= maxStatements
	c.mu.RUnlock()
	if s != nil || full {
		return s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wanted) < maxStatements {
		c.wanted = append(c.wanted, q)
	}
	return nil
}

func (c *stmtCache) prepareWanted(db *sql.DB) {
	c.mu.Lock()
	wanted := c.wanted
	c.wanted = nil
	c.mu.Unlock()
	for _, q := range wanted {
		c.get(context.Background(), db, q)
	}
}

func (c *stmtCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.stmts {
		_ = s.Close() // the database closes next
	}
	c.stmts = nil
}
