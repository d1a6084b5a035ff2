package provisioning

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
)

// States of a staged object.
const (
	stateStaged  = "staged"  // read, to be planned
	statePlanned = "planned" // to be applied
	stateRefs    = "refs"    // applied, but for references to people who came later
	stateDone    = "done"
	stateError   = "error"
)

// Marks in place of a hash, for objects of which only this is known.
const (
	hashDeleted = "deleted"
	hashPresent = "present"
)

// read acquires everything of each kind and stages it.
func (w *work) read(ctx context.Context) error {
	reader, ok := w.t.conn.(Reader)
	if !ok {
		return ErrUnsupported
	}
	kinds := []string{TypeUser}
	if w.t.app.Has(directory.ImportGroups) && w.t.groups.Name != "" {
		kinds = append(kinds, TypeGroup)
	}
	for _, kind := range kinds {
		if err := w.readKind(ctx, reader, kind); err != nil {
			return fmt.Errorf("read %ss: %w", kind, err)
		}
	}
	return w.write(ctx, func(tx *sqldb.Tx) error {
		if err := w.advance(tx, stagePlan); err != nil {
			return err
		}
		tx.AfterCommit(func() { w.run.stage = stagePlan })
		return nil
	})
}

// readKind reads one kind. A read that was cut begins again from nothing: paging
// cookies die with their connection.
func (w *work) readKind(ctx context.Context, reader Reader, kind string) error {
	if err := w.unstage(ctx, kind); err != nil {
		return err
	}
	end, err := w.acquire(ctx, reader, kind)
	if err != nil {
		return err
	}
	// A context that ended can make a cut read look like a whole one.
	if end.Complete && ctx.Err() == nil {
		w.run.complete = join(w.run.complete, kind)
	}
	if end.Cursor != nil {
		w.run.setCursor(kind, end.Cursor)
	}
	return ctx.Err()
}

// acquire reads what has changed when that was asked for and the target can tell,
// everything otherwise.
func (w *work) acquire(ctx context.Context, reader Reader, kind string) (End, error) {
	stage := func(b Batch) error { return w.stage(ctx, kind, b) }
	if w.run.Type == TypeIncremental {
		end, err := w.changes(ctx, kind, stage)
		if !errors.Is(err, ErrCursorLost) {
			return end, err
		}
		w.run.Reason = "converted to full: the target cannot tell what has changed since the last import"
		if err := w.unstage(ctx, kind); err != nil {
			return End{}, err
		}
	}
	return reader.Read(ctx, ReadRequest{Type: kind}, stage)
}

func (w *work) changes(ctx context.Context, kind string, stage func(Batch) error) (End, error) {
	var cursor []byte
	err := w.e.db().QueryRow(ctx, `SELECT value FROM import_cursors WHERE app_id = $1 AND kind = $2`, w.run.AppID, kind).Scan(&cursor)
	syncer, ok := w.t.conn.(Syncer)
	if !ok || errors.Is(err, sql.ErrNoRows) {
		return End{}, ErrCursorLost
	}
	if err != nil {
		return End{}, fmt.Errorf("read cursor: %w", err)
	}
	end, err := syncer.Changes(ctx, ChangeRequest{Type: kind, Cursor: cursor}, stage)
	if err == nil && len(end.Cursor) == 0 {
		end.Cursor = cursor // nothing has changed: the old one goes on
	}
	return end, err
}

// unstage forgets what a cut read has staged.
func (w *work) unstage(ctx context.Context, kind string) error {
	return w.write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(`DELETE FROM import_objects WHERE run_id = $1 AND kind = $2`, w.run.ID, kind)
		return err
	})
}

// stage appends a batch to the run. An object whose hash is the one that the last
// import applied drops out here.
func (w *work) stage(ctx context.Context, kind string, b Batch) error {
	if len(b.Objects) > MaxBatch {
		return fmt.Errorf("a batch has %d objects, more than %d", len(b.Objects), MaxBatch)
	}
	return w.write(ctx, func(tx *sqldb.Tx) error {
		for _, o := range b.Objects {
			if err := w.stageObject(tx, kind, o); err != nil {
				return err
			}
		}
		for _, ref := range b.Deleted {
			if err := w.stageRow(tx, kind, ref.ID, ref.Name, hashDeleted, "", stateStaged); err != nil {
				return err
			}
		}
		for _, remoteID := range b.Present {
			if err := w.stageRow(tx, kind, remoteID, "", hashPresent, "", stateDone); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *work) stageObject(tx *sqldb.Tx, kind string, o Object) error {
	if o.ID == "" {
		return &Error{Kind: ErrInvalid, Op: "read " + kind + " " + o.Name, Body: "the object has no identifier"}
	}
	body, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", kind, o.ID, err)
	}
	hash, err := w.hash(o)
	if err != nil {
		return err
	}
	known, err := w.knownHash(tx, kind, o.ID)
	if err != nil {
		return err
	}
	if known == hash {
		return w.stageRow(tx, kind, o.ID, o.Name, hash, "", stateDone)
	}
	return w.stageRow(tx, kind, o.ID, o.Name, hash, string(body), stateStaged)
}

func (w *work) stageRow(tx *sqldb.Tx, kind, remoteID, name, hash, body, state string) error {
	action := ""
	if state == stateDone {
		action = actionUnchanged
	}
	_, err := tx.Exec(`INSERT INTO import_objects (run_id, kind, external_id, name, hash, body, action, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (run_id, kind, external_id) DO UPDATE SET name = excluded.name, hash = excluded.hash, body = excluded.body,
			action = excluded.action, state = excluded.state`, w.run.ID, kind, remoteID, name, hash, body, action, state)
	if err != nil {
		return fmt.Errorf("stage %s %s: %w", kind, remoteID, err)
	}
	return nil
}

// hash is that of an object together with how it is looked at: another mapping or
// feature makes every object new. The version is left out, as targets raise it for
// changes that nobody sees.
func (w *work) hash(o Object) (string, error) {
	o.Version = ""
	text, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("encode object %s: %w", o.ID, err)
	}
	h := sha256.New()
	_, _ = h.Write([]byte(w.t.version())) // never fails (hash.Hash)
	_, _ = h.Write(text)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)), nil
}

func (w *work) knownHash(tx *sqldb.Tx, kind, remoteID string) (string, error) {
	query := `SELECT hash FROM app_users WHERE app_id = $1 AND external_id = $2 AND status <> 'DEPROVISIONED'`
	if kind == TypeGroup {
		query = `SELECT hash FROM app_group_links WHERE app_id = $1 AND external_id = $2`
	}
	var hash string
	err := tx.QueryRow(query, w.run.AppID, remoteID).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up %s %s: %w", kind, remoteID, err)
	}
	return hash, nil
}
