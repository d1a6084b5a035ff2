package sqldb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// reconnectAfter is the pause before a lost listening connection is made again.
const reconnectAfter = time.Second

// listener shares one listening connection among all subscribers of a node. It
// stands while somebody listens.
type listener struct {
	mu    sync.Mutex // guards the rest
	users int
	stop  func() // ends the connection and waits for its goroutine
}

// notifyPostgres sends "channel payload" on the one channel of the organisation.
func (db *DB) notifyPostgres(tx *Tx, channel, payload string) error {
	_, err := tx.Exec("SELECT pg_notify($1, $2)", notifyChannel(db.schema), channel+" "+payload)
	return err
}

// notifyChannel carries the schema's name, since NOTIFY reaches the whole database
// and other organisations may live in other schemas of it. PostgreSQL allows 63 bytes.
func notifyChannel(schema string) string {
	const prefix, most = "provost.", 63
	if len(prefix+schema) <= most {
		return prefix + schema
	}
	sum := sha256.Sum256([]byte(schema))
	return prefix + schema[:20] + hex.EncodeToString(sum[:16])
}

// listenPostgres joins the listening connection and returns the function that leaves it.
func (db *DB) listenPostgres() func() {
	l := &db.listen
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users++; l.users == 1 {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			db.keepListening(ctx)
		}()
		l.stop = func() { cancel(); <-done }
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.users--; l.users == 0 {
			l.stop()
		}
	}
}

// keepListening makes the connection again whenever it is lost.
func (db *DB) keepListening(ctx context.Context) {
	for {
		err := db.listenOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		db.log.Warn("listening connection lost", slog.Any("error", err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(reconnectAfter):
		}
	}
}

func (db *DB) listenOnce(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, db.url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // the connection is of no further use
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{notifyChannel(db.schema)}.Sanitize()); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	db.bus.publishAll() // what happened before is not told
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("wait: %w", err)
		}
		channel, payload, _ := strings.Cut(n.Payload, " ")
		db.bus.publish(channel, payload)
	}
}
