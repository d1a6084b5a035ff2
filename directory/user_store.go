package directory

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// userChange is what a change makes of a user. Whatever is not set stays.
type userChange struct {
	old        *User
	was, next  *schemas.Resource // both nil: the document stays
	status     Status
	lifecycle  string  // event of a new status
	externalID *string // in the namespace of the Change
	password   newPassword
}

// takesOver says that a change gives somebody else a way into the account: a password;
// or, by a SCIM client, which nobody has asked about the account, its login, where its mail
// goes, or whether it is open at all.
func (n userChange) takesOver(c Change) bool {
	switch {
	case n.password.hash != "":
		return true
	case c.Source.Kind != SourceSCIM:
		return false
	}
	return n.lifecycle != "" || n.next != nil && !(n.was.Same(n.next, "userName") && n.was.Same(n.next, "emails"))
}

// null stores an absent hot value as NULL.
func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// result is the user that a change makes.
func (n userChange) result() *User {
	u := *n.old
	if n.status != "" {
		u.Status = n.status
	}
	if n.next != nil {
		u.Doc = n.next.Doc()
	}
	if n.externalID != nil {
		u.ExternalID = *n.externalID
	}
	return &u
}

// storeUser writes a change of an existing user, its index, events and markers. A
// change that changes nothing writes nothing and keeps the version.
func (d *Directory) storeUser(tx *sqldb.Tx, c Change, n userChange) (*User, error) {
	u := n.result()
	newDoc, newExternalID := !bytes.Equal(u.Doc, n.old.Doc), u.ExternalID != n.old.ExternalID
	if !newDoc && !newExternalID && n.lifecycle == "" && n.password.hash == "" {
		return n.old, nil
	}
	if n.takesOver(c) {
		if err := d.guardAdmin(tx, c, u); err != nil {
			return nil, err
		}
	}
	if n.password.hash != "" {
		if err := n.password.allowed(n.old, d.now()); err != nil {
			return nil, err
		}
		if n.lifecycle == "" {
			u.Status, n.lifecycle = afterPassword(u.Status)
		}
	}
	var attrs []string
	if newDoc {
		attrs = schemas.ChangedProfile(n.was, n.next)
		if err := checkMutable(c, n.was, n.next, attrs); err != nil {
			return nil, err
		}
		if err := d.checkOwnedTx(tx, c, n.next.Type, u.ID, attrs); err != nil {
			return nil, err
		}
	}
	now := d.now()
	u.Version, u.Modified = u.Version+1, now
	if err := d.writeUser(tx, c, n, u, newDoc, now); err != nil {
		return nil, err
	}
	return u, d.tellUser(tx, c, n, u, newDoc || newExternalID, attrs)
}

// writeUser writes the rows of a change.
func (d *Directory) writeUser(tx *sqldb.Tx, c Change, n userChange, u *User, newDoc bool, now time.Time) error {
	if err := updateRow(tx, u, n, now); err != nil {
		return err
	}
	if newDoc {
		if err := d.replaceDocument(tx, u.RID, u.Doc, n.was, n.next); err != nil {
			return err
		}
	}
	if u.ExternalID != n.old.ExternalID {
		if err := setExternalID(tx, u.RID, c.Client, u.ExternalID); err != nil {
			return err
		}
	}
	if n.password.hash == "" {
		return nil
	}
	if err := d.rememberPassword(tx, u.RID, n.password.history); err != nil {
		return err
	}
	return d.storePassword(tx, u, n.password.hash, now)
}

// updateRow raises the version in the one UPDATE that is conditional on the old one.
func updateRow(tx *sqldb.Tx, u *User, n userChange, now time.Time) error {
	if u.Status != n.old.Status {
		u.StatusChanged = now
		if u.Status.Active() && !n.old.Status.Active() {
			u.Activated = now
		}
	}
	set := []string{"version = $3", "modified = $4"}
	args := []any{u.RID, n.old.Version, u.Version, u.Modified.UnixMicro()}
	to := func(column string, value any) {
		args = append(args, value)
		set = append(set, fmt.Sprintf("%s = $%d", column, len(args)))
	}
	if u.Status != n.old.Status {
		to("status", string(u.Status))
		to("active", u.Status.Active())
		to("status_changed", u.StatusChanged.UnixMicro())
		to("activated", nullTime(u.Activated))
	}
	if n.next != nil {
		hotChanges(n.was.Hot(), n.next.Hot(), to)
	}
	return exactlyOne(tx.Exec(`UPDATE resources SET `+strings.Join(set, ", ")+` WHERE rid = $1 AND version = $2`, args...))
}

// hotChanges gives the columns of hot values that are to be written. SQLite writes every
// index anew that has a column of the SET, whether the value is another or not.
func hotChanges(was, next schemas.Hot, to func(column string, value any)) {
	for _, c := range []struct{ column, was, is string }{
		{"user_name", was.UserName, next.UserName}, {"display_name", was.DisplayName, next.DisplayName},
		{"family_name", was.FamilyName, next.FamilyName}, {"given_name", was.GivenName, next.GivenName},
	} {
		if c.was != c.is {
			to(c.column, null(c.is))
		}
	}
}

func nullTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// exactlyOne turns an update that met no row of the expected version into ErrVersion.
func exactlyOne(res interface{ RowsAffected() (int64, error) }, err error) error {
	if err != nil {
		return fmt.Errorf("update resource: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("update resource: %w", err)
	}
	if n != 1 {
		return ErrVersion
	}
	return nil
}

// replaceDocument writes a changed document with all that is derived from it, after the
// row of its resource.
func (d *Directory) replaceDocument(tx *sqldb.Tx, rid int64, doc []byte, was, next *schemas.Resource) error {
	if _, err := tx.Exec(`UPDATE documents SET doc = $2 WHERE rid = $1`, rid, string(doc)); err != nil {
		return fmt.Errorf("update document: %w", err)
	}
	if err := d.sameSchema(tx, next.Type); err != nil {
		return err
	}
	if err := claimFor(tx, next.Type, rid, was.Unique(), next.Unique()); err != nil {
		return err
	}
	return moveIndex(tx, rid, was, next)
}

// insertDocument writes the document of a new resource with all that is derived from it,
// after the row of the resource.
func (d *Directory) insertDocument(tx *sqldb.Tx, rid int64, doc []byte, r *schemas.Resource, unique []schemas.Entry) error {
	if err := d.sameSchema(tx, r.Type); err != nil {
		return err
	}
	if err := claimFor(tx, r.Type, rid, nil, unique); err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO documents (rid, doc) VALUES ($1, $2)`, rid, string(doc)); err != nil {
		return fmt.Errorf("insert document: %w", err)
	}
	if err := moveIndex(tx, rid, nil, r); err != nil {
		return err
	}
	return addTotal(tx, r.Type.Name, blockOf(rid), 1)
}

func profileNames(r *schemas.Resource) []string {
	p := r.Profile()
	names := make([]string, 0, len(p))
	for name := range p {
		names = append(names, name)
	}
	return names
}

// errPasswordInTx reminds a caller of a transaction form that hashing stands outside.
var errPasswordInTx = errors.New("a password must be hashed before the transaction")
