package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync"

	sqlite3 "github.com/mattn/go-sqlite3"
)

// lookups are the SQLite connections of QueryRow. A look-up by an index costs SQLite
// about 7 µs of CPU and database/sql as much again, for contexts and locks that a read of
// one row does not need: so these connections are ours, with their statements.
type lookups struct {
	connector sqliteConnector
	free      chan *lookupConn // nil for one that is not open yet
	once      sync.Once        // guards closing
}

// lookupConn is used by one goroutine at a time.
type lookupConn struct {
	conn  driver.Conn
	stmts map[string]*lookup
}

// maxLookups bounds the statements of a connection: filters make texts without end.
const maxLookups = 128

// lookup is a prepared statement with room for what goes in and comes out.
type lookup struct {
	stmt    *sqlite3.SQLiteStmt
	args    []driver.NamedValue
	row     []driver.Value
	columns int // -1 until it has run
}

func newLookups(c sqliteConnector, n int) *lookups {
	l := &lookups{connector: c, free: make(chan *lookupConn, n)}
	for range n {
		l.free <- nil
	}
	return l
}

// close waits for the look-ups that run and ends the connections.
func (l *lookups) close() (err error) {
	l.once.Do(func() {
		for range cap(l.free) {
			if c := <-l.free; c != nil {
				err = errors.Join(err, c.close())
			}
		}
		close(l.free)
	})
	return err
}

// scan runs the query and reads its row into dest.
func (l *lookups) scan(query string, args, dest []any) error {
	return l.use(query, func(s *lookup) error { return s.scan(args, dest) })
}

// each runs the query and gives its rows to fn, one after the other.
func (l *lookups) each(query string, args []any, fn func(row Scanner) error) error {
	return l.use(query, func(s *lookup) error { return s.each(args, fn) })
}

// use gives a prepared statement to fn alone.
func (l *lookups) use(query string, fn func(*lookup) error) error {
	c, open := <-l.free
	if !open {
		return sql.ErrConnDone
	}
	defer func() { l.free <- c }()
	if c == nil {
		conn, err := l.connector.Connect(context.Background())
		if err != nil {
			return err
		}
		c = &lookupConn{conn: conn, stmts: map[string]*lookup{}}
	}
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	return fn(s)
}

func (c *lookupConn) prepare(query string) (*lookup, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	if len(c.stmts) >= maxLookups {
		c.forget()
	}
	stmt, err := c.conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	s := &lookup{stmt: stmt.(*sqlite3.SQLiteStmt), args: make([]driver.NamedValue, 0, stmt.NumInput()), columns: -1}
	c.stmts[query] = s
	return s, nil
}

func (c *lookupConn) forget() {
	for _, s := range c.stmts {
		_ = s.stmt.Close() // it has been reset: nothing is open
	}
	clear(c.stmts)
}

func (c *lookupConn) close() error {
	c.forget()
	return c.conn.Close()
}

// start runs the statement up to its first row.
func (s *lookup) start(args []any) (*sqlite3.SQLiteRows, error) {
	if err := s.bind(args); err != nil {
		return nil, err
	}
	found, err := s.stmt.QueryContext(context.Background(), s.args)
	if err != nil {
		return nil, err
	}
	rows := found.(*sqlite3.SQLiteRows)
	if s.columns < 0 {
		s.columns = len(rows.Columns())
		s.row = make([]driver.Value, s.columns)
	}
	return rows, nil
}

func (s *lookup) each(args []any, fn func(row Scanner) error) (err error) {
	rows, err := s.start(args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		switch err := rows.Next(s.row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := fn(s); err != nil {
			return err
		}
	}
}

// Scan implements Scanner for the row at hand.
func (s *lookup) Scan(dest ...any) error { return s.assign(dest) }

func (s *lookup) scan(args, dest []any) error {
	rows, err := s.start(args)
	if err != nil {
		return err
	}
	err = rows.Next(s.row)
	if cerr := rows.Close(); err == nil {
		err = cerr
	}
	if errors.Is(err, io.EOF) {
		return sql.ErrNoRows
	}
	if err != nil {
		return err
	}
	return s.assign(dest)
}

// bind converts the arguments as database/sql does.
func (s *lookup) bind(args []any) error {
	if want := s.stmt.NumInput(); len(args) != want {
		return fmt.Errorf("want %d arguments, got %d", want, len(args))
	}
	s.args = s.args[:0]
	for i, a := range args {
		if _, ok := a.(string); !ok {
			v, err := driver.DefaultParameterConverter.ConvertValue(a)
			if err != nil {
				return fmt.Errorf("argument %d: %w", i+1, err)
			}
			a = v
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return nil
}

func (s *lookup) assign(dest []any) error {
	defer clear(s.row) // what was read belongs to the caller
	if len(dest) != s.columns {
		return fmt.Errorf("want %d destinations, got %d", s.columns, len(dest))
	}
	for i, v := range s.row {
		if err := assign(dest[i], v); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}
