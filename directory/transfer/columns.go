package transfer

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/schemas"
)

// Columns that are no attributes of the resource.
const (
	columnID     = "id"
	columnStatus = "status"
	columnHash   = "passwordHash"
	columnGroups = "groups"  // IDs of groups that the user joins
	columnMember = "members" // of a group
	// Of a reject file; they are passed over when it is read again.
	columnLine   = "_line"
	columnReason = "_reason"
)

// column is what one column of a table, or one LDAP attribute, means.
type column struct {
	name    string
	special string // one of the above, or empty
	text    *schemas.Text
}

// compileColumns finds what names mean, all faults at once.
func compileColumns(t *schemas.Type, o *Options, names []string) ([]column, error) {
	columns := make([]column, len(names))
	var unknown []string
	for i, name := range names {
		var err error
		if columns[i], err = compileColumn(t, o, name); err != nil {
			unknown = append(unknown, fmt.Sprintf("%q (%v)", clip(name), err))
		}
		for j := range i {
			if columns[i].same(columns[j]) {
				return nil, fmt.Errorf("columns %q and %q are the same attribute", names[j], names[i])
			}
		}
	}
	for from := range o.Map {
		if !slices.Contains(names, from) {
			return nil, fmt.Errorf("there is no column %q to map", from)
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("no attribute for %s", strings.Join(unknown, ", "))
	}
	return columns, nil
}

func compileColumn(t *schemas.Type, o *Options, name string) (column, error) {
	c := column{name: name}
	target, mapped := o.Map[name]
	if !mapped {
		target = strings.TrimSpace(name)
	}
	switch target {
	case Ignore, columnLine, columnReason:
		return c, nil
	case columnID, columnHash, columnStatus, columnGroups, columnMember:
		if c.special = target; c.belongs(t.Name) {
			return c, nil
		}
		c.special = ""
	}
	var err error
	if c.text, err = t.Text(target); err != nil && o.IgnoreUnknown && !mapped {
		return column{name: name}, nil
	}
	return c, err
}

// belongs reports whether resources of the type have the special column.
func (c column) belongs(typ string) bool {
	switch c.special {
	case columnHash, columnStatus, columnGroups:
		return typ == "User"
	case columnMember:
		return typ == "Group"
	}
	return true
}

func (c column) same(o column) bool {
	if c.special != "" || o.special != "" {
		return c.special == o.special
	}
	return c.text != nil && o.text != nil && c.text.Same(o.text)
}

// cell is what one column says of a resource; no texts say nothing.
type cell struct {
	*column
	texts []string
}

// fill makes of cells what they say of a resource.
func (r *record) fill(o *Options, cells []cell) error {
	var values []schemas.TextValue
	for _, c := range cells {
		for _, text := range c.texts {
			if !utf8.ValidString(text) {
				return fmt.Errorf("%s: the text is not valid UTF-8", c.name)
			}
		}
		switch {
		case c.special != "":
			if err := r.special(o, c); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		case c.text != nil && (len(c.texts) > 0 || o.ClearEmpty):
			if len(c.texts) > 1 && !c.text.Multi() {
				return fmt.Errorf("%s: %d values; want one", c.name, len(c.texts))
			}
			values = append(values, schemas.TextValue{Text: c.text, Texts: c.texts})
		}
	}
	r.next = func(was *schemas.Resource) (*schemas.Resource, error) { return was.Type.SetTexts(was, values) }
	set := slices.DeleteFunc(slices.Clone(values), func(v schemas.TextValue) bool { return len(v.Texts) == 0 })
	var err error
	r.res, err = r.typ.SetTexts(r.typ.Empty(), set)
	return err
}

func (r *record) special(o *Options, c cell) error {
	if len(c.texts) == 0 {
		return nil
	}
	switch c.special {
	case columnGroups:
		r.opts.Groups = c.texts
		return nil
	case columnMember:
		r.refs = true
		return nil
	}
	if len(c.texts) > 1 {
		return fmt.Errorf("%d values; want one", len(c.texts))
	}
	switch text := c.texts[0]; c.special {
	case columnID:
		r.keepID(o, text)
	case columnHash:
		r.opts.PasswordHash = text
	case columnStatus:
		r.opts.Status = directory.Status(text)
		if !isStatus(r.opts.Status) {
			return fmt.Errorf("%q is no status of a user", clip(text))
		}
	}
	return nil
}

// keepID keeps an identifier of ours; one from elsewhere is only what the file calls the
// resource.
func (r *record) keepID(o *Options, text string) {
	if r.ref = text; o.NewIDs || !id.Is(prefixOf(r.typ.Name), text) {
		return
	}
	if r.opts.Origin == nil {
		r.opts.Origin = &directory.Origin{}
	}
	r.opts.Origin.ID = text
}

func prefixOf(typ string) string {
	switch typ {
	case "User":
		return id.User
	case "Group":
		return id.Group
	}
	return id.Resource
}

func isStatus(s directory.Status) bool {
	return slices.Contains([]directory.Status{
		directory.Staged, directory.Provisioned, directory.Active, directory.Recovery, directory.PasswordExpired,
		directory.LockedOut, directory.Suspended, directory.Deprovisioned,
	}, s)
}

// setKey sets by what an Upsert finds the resource.
func (r *record) setKey(o *Options) error {
	if o.Mode != Upsert || r.res == nil {
		return nil
	}
	k := o.keyOf(r.typ.Name)
	if k == directory.ByName && r.kind == directory.AppGroup { // they share names
		k = directory.ByID
	}
	r.by = k
	switch k {
	case directory.ByLogin:
		r.key = r.res.UserName()
	case directory.ByName:
		r.key = r.res.DisplayName()
	case directory.ByExternalID:
		r.key = r.res.ExternalID
	case directory.ByID:
		r.key = r.ref
	}
	if r.key == "" {
		return fmt.Errorf("it has no %s, by which it would be found", k)
	}
	r.key = k.Fold(r.key)
	return nil
}
