package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Why says where the present value of one attribute comes from.
type Why struct {
	Value   any
	Source  Source
	App     string // label of the app that it comes from, "" for none
	Mapping string // the expression that gave it, "" for none
	// MappingVersion is the version of the mapping that the expression stood in, 0 for none.
	MappingVersion int64
	Event          string
	Time           time.Time
}

// Why explains an attribute of a user's profile. ErrNotFound for a user or attribute
// that does not exist; an attribute that was never set has no source.
func (d *Directory) Why(ctx context.Context, userID, attr string) (*Why, error) {
	u, err := d.User(ctx, userID)
	if err != nil {
		return nil, err
	}
	profile, err := d.Profile(u)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(d.userType().ProfileNames(), attr) {
		return nil, fmt.Errorf("attribute %s: %w", attr, ErrNotFound)
	}
	w, fallback := &Why{Value: profile[attr]}, anyAttr
	if w.Value == nil { // it came with nothing
		fallback = attr
	}
	var at int64
	err = d.DB.QueryRow(ctx, `SELECT s.kind, s.source, s.mapping, s.mapping_version, s.event, s.time, COALESCE((SELECT a.label FROM apps a WHERE a.id = s.source), '')
		FROM attribute_sources s WHERE s.rid = $1 AND s.attr IN ($2, $3) ORDER BY s.attr = $3 LIMIT 1`, u.RID, attr, fallback).
		Scan(&w.Source.Kind, &w.Source.ID, &w.Mapping, &w.MappingVersion, &w.Event, &at, &w.App)
	if errors.Is(err, sql.ErrNoRows) {
		return w, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read source: %w", err)
	}
	w.Source.Mapping, w.Time = w.Mapping, micros(at)
	return w, nil
}
