package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// MaxUserBatch is how many users one CreateUsers takes: a few tenths of a second, for
// which other writers wait on SQLite, and few enough for one statement's parameters.
const MaxUserBatch = 1000

// UserToCreate is one entry of a batch.
type UserToCreate struct {
	Resource *schemas.Resource
	Options  CreateOptions
}

// UserResult is what became of one entry of a batch: a user, or why there is none.
type UserResult struct {
	User *User
	Err  error // a *Conflict, *schemas.Error, *passwords.Error, or of joining a group
}

var errBatchSize = fmt.Errorf("a batch holds at most %d users", MaxUserBatch)

// CreateUsers stores up to MaxUserBatch new users in one transaction. Each entry
// succeeds or fails by itself, exactly as CreateUser would in the order of the batch;
// the results are in that order too. An error beside them says that nothing is stored.
//
// What follows from all of them is done once: group rules and groups take in everybody
// by one change of the group.
func (d *Directory) CreateUsers(ctx context.Context, c Change, batch []UserToCreate) ([]UserResult, error) {
	do, err := d.PrepareUsers(ctx, c, batch)
	return prepared(ctx, d, do, err)
}

// CreateUsersTx is CreateUsers inside a transaction; passwords come as PasswordHash.
func (d *Directory) CreateUsersTx(tx *sqldb.Tx, c Change, batch []UserToCreate) ([]UserResult, error) {
	if len(batch) > MaxUserBatch {
		return nil, errBatchSize
	}
	people := make([]newcomer, len(batch))
	for i, e := range batch {
		if e.Resource.Password != "" {
			return nil, errPasswordInTx
		}
		people[i] = d.newcomer(c, e)
	}
	return d.createTx(tx, c, people)
}

// hashBatch makes the newcomers of a batch, their clear passwords hashed.
func (d *Directory) hashBatch(ctx context.Context, c Change, batch []UserToCreate) ([]newcomer, error) {
	people := make([]newcomer, len(batch))
	for i, e := range batch {
		if err := c.Bounds.checkNew(e.Resource); err != nil { // before anything is hashed
			people[i] = newcomer{from: e, typ: e.Resource.Type, err: err}
			continue
		}
		e, refused := d.hashed(ctx, e)
		if refused != nil && !isRefusal(refused) {
			return nil, refused
		}
		people[i] = d.newcomer(c, e)
		if refused != nil {
			people[i].err = refused
		}
	}
	return people, nil
}

// isRefusal tells a password that is not acceptable from one that could not be hashed.
func isRefusal(err error) bool {
	var schema *schemas.Error
	return errors.Is(err, passwords.ErrRefused) || errors.As(err, &schema)
}

// hashed replaces the clear password of an entry by its hash.
func (d *Directory) hashed(ctx context.Context, e UserToCreate) (UserToCreate, error) {
	if e.Resource.Password == "" {
		return e, nil
	}
	n, err := d.passwordOf(ctx, e.Resource)
	e.Resource = e.Resource.Clone()
	e.Resource.Password, e.Options.PasswordHash = "", n.hash
	return e, err
}

// newcomer is a user on its way into the database, with everything that can be
// derived outside the transaction.
type newcomer struct {
	from   UserToCreate
	typ    *schemas.Type // that it was made under
	user   User          // ID, times and row number are given in the transaction
	hot    schemas.Hot
	index  []schemas.Entry
	unique []schemas.Entry
	shown  []byte // the document without secrets
	name   string
	attrs  []string
	hash   string
	groups []string
	origin *Origin
	err    error // why it will not come in
}

func (d *Directory) newcomer(c Change, e UserToCreate) newcomer {
	r, err := d.complete(d.userType(), e.Resource)
	if err != nil {
		return newcomer{from: e, typ: d.userType(), err: err}
	}
	n := newcomer{
		from: e, typ: r.Type,
		user: User{Version: 1, Status: firstStatus(c, r, e.Options), Doc: r.Doc()},
		hot:  r.Hot(), index: r.Index(), unique: r.Unique(), name: r.DisplayName(), attrs: profileNames(r),
		hash: e.Options.PasswordHash, groups: e.Options.Groups, origin: e.Options.Origin,
		err: e.Options.Origin.check(id.User),
	}
	if home := c.Bounds.groups(); home != nil { // who is created there can be seen there
		n.groups = append(n.groups[:len(n.groups):len(n.groups)], home[0])
	}
	if err := c.Bounds.checkNew(e.Resource); err != nil { // what the schema adds is nobody's wish
		n.err = err
	}
	if c.Client != "" {
		n.user.ExternalID = r.ExternalID
	}
	if n.shown, err = r.Type.Shown(n.user.Doc); err != nil {
		n.err = err
	}
	if n.hash != "" {
		if err := d.passwords.Check(n.hash); err != nil {
			n.err = err
		}
	}
	return n
}

// createTx brings the newcomers in. It may run twice, so it leaves them as they are.
func (d *Directory) createTx(tx *sqldb.Tx, c Change, people []newcomer) ([]UserResult, error) {
	results := make([]UserResult, len(people))
	people = d.current(c, people)
	confined := c.Bounds.groups() != nil
	c = c.unbounded() // newcomer has asked for what is allowed
	groups, err := d.lockJoined(tx, c, people)
	if err != nil {
		return nil, err
	}
	entries := make([]*entry, 0, len(people))
	for i := range people {
		n := &people[i]
		if results[i].Err = n.err; n.err == nil {
			results[i].Err = groups.refusal(n)
			if confined && errors.Is(results[i].Err, ErrNotFound) {
				results[i].Err = &BoundsError{Reason: "the group that the caller is confined to is gone"}
			}
		}
		if results[i].Err == nil {
			entries = append(entries, &entry{newcomer: n, result: &results[i]})
		}
	}
	wanted := len(entries)
	if entries, err = d.admit(tx, entries); err != nil {
		return nil, err
	}
	if len(entries) < wanted { // who is refused is refused by the schema in force
		if err := d.sameSchema(tx, people[0].typ); err != nil {
			return nil, err
		}
	}
	if err := d.insertUsers(tx, c, entries); err != nil {
		return nil, err
	}
	return results, d.joinGroups(tx, c, groups, entries)
}

// current returns the newcomers under the schema in force, which may have changed since
// they were made.
func (d *Directory) current(c Change, people []newcomer) []newcomer {
	t := d.userType()
	if !slices.ContainsFunc(people, func(n newcomer) bool { return n.typ != t }) {
		return people
	}
	renewed := make([]newcomer, len(people))
	for i, n := range people {
		renewed[i] = d.newcomer(c, n.from)
		if errors.Is(n.err, passwords.ErrRefused) {
			renewed[i].err = n.err
		}
	}
	return renewed
}

// entry is a newcomer in one run of a transaction.
type entry struct {
	*newcomer
	result *UserResult
	rid    int64
}

// admit gives row numbers and claims unique values; it returns those that got theirs.
func (d *Directory) admit(tx *sqldb.Tx, entries []*entry) ([]*entry, error) {
	entries, err := refuseTakenIDs(tx, entries)
	if err == nil {
		entries, err = notHeldElsewhere(tx, entries)
	}
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	rids, err := newRIDs(tx, len(entries))
	if err != nil {
		return nil, err
	}
	claims := make([]claim, len(entries))
	for i, e := range entries {
		e.rid = rids[i]
		claims[i] = claim{rid: e.rid, unique: e.unique}
	}
	if err := claimMany(tx, entries[0].typ, claims); err != nil {
		return nil, err
	}
	admitted := entries[:0]
	for i, e := range entries {
		if claims[i].lost != nil {
			e.result.Err = claims[i].lost
			continue
		}
		admitted = append(admitted, e)
	}
	return admitted, nil
}

// notHeldElsewhere returns the entries but for those that want a value which somebody has
// who has not claimed it yet.
func notHeldElsewhere(tx *sqldb.Tx, entries []*entry) ([]*entry, error) {
	if len(entries) == 0 || !entries[0].typ.AnyPending() {
		return entries, nil
	}
	free := make([]*entry, 0, len(entries))
	for _, e := range entries {
		err := e.heldElsewhere(tx)
		switch {
		case errors.Is(err, ErrConflict):
			e.result.Err = err
		case err != nil:
			return nil, err
		default:
			free = append(free, e)
		}
	}
	return free, nil
}

func (e *entry) heldElsewhere(tx *sqldb.Tx) error {
	for _, v := range e.unique {
		if !e.typ.Pending(v.Path) {
			continue
		}
		if err := heldElsewhere(tx, e.typ, 0, v); err != nil {
			return err
		}
	}
	return nil
}

// newUser is the user that an entry becomes.
func (e *entry) newUser(now time.Time) *User {
	u, o := e.user, e.origin
	u.RID, u.ID, u.Version = e.rid, o.idOr(id.User, now), o.version()
	u.Created, u.Modified, u.StatusChanged = o.created(now), o.modified(now), now
	if u.Status.Active() {
		u.Activated = now
	}
	if o != nil {
		u.StatusChanged, u.Activated, u.LastLogin = or(o.StatusChanged, now), or(o.Activated, u.Activated), or(o.LastLogin, u.LastLogin)
	}
	if e.hash != "" {
		u.HasPassword, u.PasswordChanged = true, now
		if o != nil {
			u.PasswordChanged = or(o.PasswordChanged, now)
		}
	}
	return &u
}
