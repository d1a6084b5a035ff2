package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// csvEncoder writes one row for each resource.
type csvEncoder struct {
	ex      *exporter
	w       *csvWriter
	typ     *schemas.Type
	columns []column
	fields  []string
}

func newCSVEncoder(ex *exporter, w io.Writer) (*csvEncoder, error) {
	t, _ := ex.schema.Type(ex.o.Types[0]) // it was checked
	names := ex.o.Attributes
	if len(names) == 0 {
		names = defaultColumns(t)
	}
	if ex.o.Passwords && t.Name == "User" && !slices.Contains(names, columnHash) {
		names = append(slices.Clone(names), columnHash)
	}
	columns, err := compileColumns(t, &Options{}, names)
	if err != nil {
		return nil, err
	}
	if !ex.o.Passwords && slices.ContainsFunc(columns, func(c column) bool { return c.special == columnHash }) {
		return nil, errors.New("password hashes are only exported when that is asked for by itself")
	}
	e := &csvEncoder{ex: ex, w: newCSVWriter(w, ex.o.Comma[0]), typ: t, columns: columns, fields: make([]string, len(columns))}
	e.w.guard = ex.o.GuardFormulas
	return e, nil
}

// defaultColumns are the profile of a type and what finds it again. The login stands
// under its SCIM path: as a profile attribute it would have to be an e-mail address.
func defaultColumns(t *schemas.Type) []string {
	names := []string{columnID, "externalId"}
	profile := t.ProfileNames()
	switch t.Name {
	case "User":
		names = append(names, columnStatus, "userName")
		profile = slices.DeleteFunc(profile, func(n string) bool { return n == "login" })
	case "Group":
		names = append(names, "displayName")
		profile = slices.DeleteFunc(profile, func(n string) bool { return n == "name" })
	}
	return append(names, profile...)
}

func (e *csvEncoder) begin() error {
	for i, c := range e.columns {
		e.fields[i] = c.name
	}
	return e.w.row(e.fields)
}

func (e *csvEncoder) end() error { return e.w.flush() }

func (e *csvEncoder) page(ctx context.Context, page []*directory.Stored) error {
	for _, s := range page {
		r, err := e.ex.decode(e.typ, s)
		if err != nil {
			return err
		}
		for i := range e.columns {
			if e.fields[i], err = e.field(ctx, &e.columns[i], s, r); err != nil {
				return err
			}
		}
		if err := e.w.row(e.fields); err != nil {
			return err
		}
	}
	return nil
}

func (e *csvEncoder) field(ctx context.Context, c *column, s *directory.Stored, r *schemas.Resource) (string, error) {
	switch c.special {
	case columnID:
		return s.ID, nil
	case columnStatus:
		return s.Status, nil
	case columnHash:
		return s.PasswordHash, nil
	case columnMember:
		return e.members(ctx, s)
	}
	if c.text == nil {
		return "", nil
	}
	texts := c.text.Of(r)
	if c.text.Multi() {
		return joinList(texts, e.ex.o.Separator), nil
	}
	if len(texts) == 0 {
		return "", nil
	}
	return texts[0], nil
}

// cellMembers is how many members of a group one cell takes.
const cellMembers = 10_000

func (e *csvEncoder) members(ctx context.Context, s *directory.Stored) (string, error) {
	var ids []string
	err := e.ex.dir.WalkMembers(ctx, e.ex.rd, s.RID, func(page []*directory.StoredMember) error {
		for _, m := range page {
			ids = append(ids, m.ID)
		}
		if len(ids) > cellMembers {
			return fmt.Errorf("group %s has more than %d members: too many for a cell of CSV", s.ID, cellMembers)
		}
		return nil
	})
	e.ex.members += int64(len(ids))
	return joinList(ids, e.ex.o.Separator), err
}
