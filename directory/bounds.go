package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// ErrBounds is wrapped by a BoundsError.
var ErrBounds = errors.New("outside of what the caller may do")

// BoundsError is a change that goes beyond the bounds of its caller.
type BoundsError struct {
	Attr   string // path of the attribute, empty for none
	Reason string
}

// Error names the attribute and the reason.
func (e *BoundsError) Error() string {
	if e.Attr == "" {
		return e.Reason
	}
	return fmt.Sprintf("attribute %q: %s", e.Attr, e.Reason)
}

// Unwrap makes the error an ErrBounds.
func (e *BoundsError) Unwrap() error { return ErrBounds }

// Bounds narrow what a caller may see and change. The nil *Bounds narrows nothing.
type Bounds struct {
	// Types are the names of the resource types that the caller may speak of, nil for
	// all. Whoever may not speak of groups does not see what groups somebody is in.
	Types []string
	// Read and Write are paths of attributes, of any resource type; nil for all.
	Read, Write []string
	// Groups are the IDs of the groups that the caller sees and whose direct members are
	// the people it sees, nil for everything. Who it creates joins the first.
	Groups []string
}

// Readable returns what may be read of a type. The attributes that tell which resource
// it is always may.
func (b *Bounds) Readable(t *schemas.Type) *schemas.AttributeSet {
	if b == nil {
		return nil
	}
	var s *schemas.AttributeSet
	if b.Read != nil {
		s = t.AttributeSet(slices.Concat(b.Read, []string{"id", "externalId", "schemas", "meta"}))
	}
	if t.Name == typeUser && !b.Type(typeGroup) {
		s = s.Without("groups", t)
	}
	return s
}

// Type says whether the caller may speak of a resource type.
func (b *Bounds) Type(name string) bool {
	return b == nil || len(b.Types) == 0 || slices.Contains(b.Types, name)
}

func (b *Bounds) write(t *schemas.Type) *schemas.AttributeSet {
	if b == nil {
		return nil
	}
	return t.AttributeSet(b.Write)
}

func (b *Bounds) groups() []string {
	if b == nil {
		return nil
	}
	return b.Groups
}

func unwritable(attr string) error {
	return &BoundsError{Attr: attr, Reason: "the caller may not write it"}
}

// checkNew refuses a resource with an attribute that the caller may not write.
func (b *Bounds) checkNew(r *schemas.Resource) error {
	if attr := b.write(r.Type).Outside(r); attr != "" {
		return unwritable(attr)
	}
	return nil
}

// checkNewGroup also refuses every group to who is confined to some.
func (b *Bounds) checkNewGroup(r *schemas.Resource) error {
	if b.groups() != nil {
		return &BoundsError{Reason: "the caller is confined to groups that exist"}
	}
	return b.checkNew(r)
}

// checkDelete refuses to delete for whom not every attribute is there to be changed.
func (b *Bounds) checkDelete() error {
	if b == nil || b.Write == nil {
		return nil
	}
	return &BoundsError{Reason: "the caller may not delete: it may write some attributes only"}
}

// checkOps refuses operations on an attribute that the caller may not write, and those
// that find out about one that it may not read. It returns them under the type t.
func (b *Bounds) checkOps(t *schemas.Type, ops []schemas.PatchOp, dialect schemas.Dialect) ([]schemas.PatchOp, error) {
	if b == nil {
		return ops, nil
	}
	ops, err := t.AdoptPatch(ops, dialect)
	if err != nil {
		return nil, err
	}
	if attr, _ := b.write(t).OutsideOps(ops); attr != "" {
		return nil, unwritable(attr)
	}
	if attr, _ := b.Readable(t).HiddenInOps(ops); attr != "" {
		return nil, &BoundsError{Attr: attr, Reason: "the caller may not read it"}
	}
	return ops, nil
}

// replacement is what a PUT of r makes of was: what the caller may not write stays.
func (b *Bounds) replacement(was, r *schemas.Resource) (*schemas.Resource, error) {
	if b == nil {
		return was.Type.Replacement(was, r)
	}
	r, err := was.Type.Adopt(r)
	if err != nil {
		return nil, err
	}
	next, attr := b.write(was.Type).Keep(was, r)
	if attr != "" {
		return nil, unwritable(attr)
	}
	return was.Type.Replacement(was, next)
}

// unbounded is a change that follows from one that was allowed.
func (c Change) unbounded() Change {
	c.Bounds = nil
	return c
}

// inGroups is a condition on the row number of a user: that it is a direct member of one
// of the groups whose IDs are the parameters.
func inGroups(rid, parameters string) string {
	return rid + ` IN (SELECT w.member_rid FROM members w WHERE w.group_rid IN (SELECT v.rid FROM resources v WHERE ` + beside("v.type") + ` = 'Group' AND v.id IN (` +
		parameters + `)))`
}

// checkUserTx returns ErrNotFound for a user that the caller does not see.
func (d *Directory) checkUserTx(tx *sqldb.Tx, b *Bounds, rid int64) error {
	if b.groups() == nil {
		return nil
	}
	return oneSeen(tx.QueryRow(`SELECT 1 FROM resources r WHERE r.rid = $1 AND `+inGroups("r.rid", list(2, len(b.Groups))), append([]any{rid}, anys(b.Groups)...)...))
}

func oneSeen(row scanner) error {
	var one int
	err := row.Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("look for what the caller sees: %w", err)
	}
	return nil
}

// checkGroup returns ErrNotFound for a group that the caller does not see.
func (b *Bounds) checkGroup(id string) error {
	if b.groups() == nil || slices.Contains(b.Groups, id) {
		return nil
	}
	return ErrNotFound
}

// checkMembersTx refuses, as one that does not exist, a new member that the caller does
// not see.
func (d *Directory) checkMembersTx(tx *sqldb.Tx, b *Bounds, m schemas.MemberChange) error {
	if b.groups() == nil {
		return nil
	}
	if m.Then != nil {
		if err := d.checkMembersTx(tx, b, *m.Then); err != nil {
			return err
		}
	}
	hidden := map[string]bool{}
	people, groups := splitIDs(slices.Concat(m.Set, m.Add))
	for _, id := range groups {
		if b.checkGroup(id) != nil {
			hidden[id] = true
		}
	}
	for part := range slices.Chunk(people, lookUpMax) {
		for _, id := range part {
			hidden[id] = true
		}
		n := len(part)
		seen, err := column[string](tx.Query(`SELECT r.id FROM resources r WHERE r.id IN (`+list(1, n)+`) AND `+
			inGroups("r.rid", list(n+1, len(b.Groups))), append(anys(part), anys(b.Groups)...)...))
		if err != nil {
			return err
		}
		for _, id := range seen {
			delete(hidden, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(hidden)) {
		return unknownMember(id)
	}
	return nil
}

// checkSameMembersTx refuses other members than a group has.
func (d *Directory) checkSameMembersTx(tx *sqldb.Tx, g *Group, same []string) error {
	if len(same) == 0 {
		return nil
	}
	people, groups := splitIDs(same)
	missing, gone, err := compareMembers(tx, g.RID, people)
	if err != nil {
		return err
	}
	nested, err := groupsIn(tx, g.RID)
	if err != nil {
		return err
	}
	if len(missing)+len(gone) > 0 || len(nested) != len(groups) {
		return unwritable("members")
	}
	for _, t := range nested {
		if !slices.Contains(groups, t.id) {
			return unwritable("members")
		}
	}
	return nil
}

// Sees returns ErrNotFound for a user or group that a caller with these bounds does not
// see. Resources of other types are seen by all.
func (d *Directory) Sees(ctx context.Context, b *Bounds, typ, id string) error {
	switch {
	case b.groups() == nil:
		return nil
	case typ == typeGroup:
		return b.checkGroup(id)
	case typ != typeUser:
		return nil
	}
	return oneSeen(d.DB.QueryRow(ctx, `SELECT 1 FROM resources r WHERE r.id = $1 AND r.type = 'User' AND `+inGroups("r.rid", list(2, len(b.Groups))),
		append([]any{id}, anys(b.Groups)...)...))
}

// bound restricts what a list selects to what the caller sees.
func (b *compiler) bound(q ListQuery) string {
	if q.Bounds.groups() == nil || b.typ != typeUser && b.typ != typeGroup {
		return ""
	}
	if b.typ == typeGroup {
		return " AND r.id IN (" + b.argList(q.Bounds.Groups) + ")"
	}
	return " AND " + inGroups("r.rid", b.argList(q.Bounds.Groups))
}

// What bounds may hold: they are looked at with every request.
const (
	maxBoundGroups     = 50
	maxBoundAttributes = 200
)

// CheckBounds says what is wrong with bounds that somebody is to have: a type, attribute
// or group that there is not; or an attribute that may be written and not be read, since
// a version that does not change would tell its value.
func (d *Directory) CheckBounds(ctx context.Context, b *Bounds) error {
	if b == nil {
		return nil
	}
	if len(b.Groups) > maxBoundGroups || len(b.Read)+len(b.Write) > maxBoundAttributes {
		return &BoundsError{Reason: fmt.Sprintf("more than %d groups, or %d attributes", maxBoundGroups, maxBoundAttributes)}
	}
	snapshot := d.Schemas()
	for _, name := range b.Types {
		if _, ok := snapshot.Type(name); !ok {
			return &BoundsError{Reason: fmt.Sprintf("there is no resource type %q", name)}
		}
	}
	types := slices.DeleteFunc(snapshot.Types(), func(t *schemas.Type) bool { return !b.Type(t.Name) })
	for _, path := range slices.Concat(b.Read, b.Write) {
		if !slices.ContainsFunc(types, func(t *schemas.Type) bool { return t.Knows(path) }) {
			return &BoundsError{Attr: path, Reason: "no resource type that may be spoken of has it"}
		}
	}
	for _, t := range types {
		if path := b.blind(t); path != "" {
			return &BoundsError{Attr: path, Reason: "what may be written has to be readable"}
		}
	}
	for _, id := range b.Groups {
		g, err := d.Group(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound):
			return &BoundsError{Reason: fmt.Sprintf("there is no group %q", id)}
		case err != nil:
			return err
		case g.Type == BuiltInGroup:
			return &BoundsError{Reason: fmt.Sprintf("%s is built in", g.Name())}
		}
	}
	return nil
}

// blind is an attribute that may be written and not be read, though others can read it.
func (b *Bounds) blind(t *schemas.Type) string {
	if b.Read == nil || b.Write == nil {
		return ""
	}
	readable := b.Readable(t)
	for _, path := range b.Write {
		if t.Knows(path) && !readable.Has(path, t) && t.Readable(path) {
			return path
		}
	}
	return ""
}
