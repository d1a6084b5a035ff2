package directory

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Origin is what a resource had in the directory that it was exported from. Whoever
// brings it back gives it these again; what is empty is as of a new one.
type Origin struct {
	ID              string // free, and of the form that IDs of its type have
	Version         int64
	Created         time.Time
	Modified        time.Time
	StatusChanged   time.Time         // of a user, as the next three
	Activated       time.Time         //
	LastLogin       time.Time         //
	PasswordChanged time.Time         // of the hash that comes with it
	ExternalIDs     map[string]string // by client
}

// check refuses an ID that is not one of ours: they are unique across all types.
func (o *Origin) check(prefix string) error {
	if o == nil || o.ID == "" || id.Is(prefix, o.ID) {
		return nil
	}
	return &schemas.Error{ScimType: schemas.InvalidValue, Path: "id", Reason: fmt.Sprintf("it is no identifier that begins with %s", prefix)}
}

// admit refuses an ID that cannot be given to a single resource.
func (o *Origin) admit(tx *sqldb.Tx, typ, prefix string) error {
	if err := o.check(prefix); err != nil || o == nil || o.ID == "" {
		return err
	}
	taken, err := takenIDs(tx, []string{o.ID})
	if err == nil && taken[o.ID] {
		err = &Conflict{Type: typ, Attr: "id"}
	}
	return err
}

// or is the time that an origin gives, or that of a new resource.
func or(given, now time.Time) time.Time {
	if given.IsZero() {
		return now
	}
	return given.UTC().Truncate(time.Microsecond)
}

func (o *Origin) created(now time.Time) time.Time {
	if o == nil {
		return now
	}
	return or(o.Created, now)
}

func (o *Origin) modified(now time.Time) time.Time {
	if o == nil {
		return now
	}
	return or(o.Modified, now)
}

// idOr returns the ID that an origin gives, or a new one.
func (o *Origin) idOr(prefix string, now time.Time) string {
	if o == nil || o.ID == "" {
		return id.NewAt(prefix, now)
	}
	return o.ID
}

// version is 1 for a new resource.
func (o *Origin) version() int64 {
	if o == nil {
		return 1
	}
	return max(o.Version, 1)
}

// externalIDs are those of all clients, that of the caller included.
func (o *Origin) externalIDs(client, value string) map[string]string {
	all := map[string]string{}
	if o != nil {
		maps.Copy(all, o.ExternalIDs)
	}
	if client != "" && value != "" {
		all[client] = value
	}
	return all
}

func (o *Origin) setExternalIDs(tx *sqldb.Tx, rid int64, client, value string) error {
	for client, value := range o.externalIDs(client, value) {
		if err := setExternalID(tx, rid, client, value); err != nil {
			return err
		}
	}
	return nil
}

// takenIDs returns which of the IDs are taken. A writer beside us that takes one later
// makes the insert fail.
func takenIDs(tx *sqldb.Tx, ids []string) (map[string]bool, error) {
	taken := map[string]bool{}
	for part := range slices.Chunk(ids, lookUpMax) {
		args := make([]any, len(part))
		for i, id := range part {
			args[i] = id
		}
		found, err := column[string](tx.Query(`SELECT id FROM resources WHERE id IN (`+list(1, len(args))+`)`, args...))
		if err != nil {
			return nil, fmt.Errorf("look for IDs: %w", err)
		}
		for _, id := range found {
			taken[id] = true
		}
	}
	return taken, nil
}

// refuseTakenIDs gives those entries a *Conflict whose ID somebody has, or one before
// them, and returns the others.
func refuseTakenIDs(tx *sqldb.Tx, entries []*entry) ([]*entry, error) {
	var ids []string
	for _, e := range entries {
		if e.origin != nil && e.origin.ID != "" {
			ids = append(ids, e.origin.ID)
		}
	}
	if len(ids) == 0 {
		return entries, nil
	}
	taken, err := takenIDs(tx, ids)
	if err != nil {
		return nil, err
	}
	free := make([]*entry, 0, len(entries))
	for _, e := range entries {
		if e.origin != nil && e.origin.ID != "" {
			if taken[e.origin.ID] {
				e.result.Err = &Conflict{Type: typeUser, Attr: "id"}
				continue
			}
			taken[e.origin.ID] = true
		}
		free = append(free, e)
	}
	return free, nil
}
