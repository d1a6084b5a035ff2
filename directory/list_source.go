package directory

import (
	"strconv"
	"strings"

	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// params numbers the parameters of a statement. It begins with those of a selection.
type params []any

func (p *params) arg(v any) string {
	*p = append(*p, v)
	return "$" + strconv.Itoa(len(*p))
}

// alone drops the selection: every parameter must be part of the text, since PostgreSQL
// refuses one whose type it cannot tell.
func (p *params) alone() { *p = (*p)[:1] }

// source is a SELECT of the keys of one segment, of one type, in an order that an
// index has.
type source struct {
	from, rid, value string
	where            []string
	order            []string // columns
	after            []string // the columns of order that a position compares
}

// source returns how the keys of a segment are read, or false when no resource of the
// type is in it. What lies in an index of values and not in r is called k, and leads:
// SQLite takes the tables of a CROSS JOIN in the order in which they stand.
func (l *lister) source(p *params, seg segment, i int, exact bool) (source, bool) {
	s := l.streams[i]
	plain := source{from: "resources r", rid: "r.rid", value: "r.rid", where: []string{s.sel.where}, order: []string{"r.rid"}, after: []string{"r.rid"}}
	switch {
	case seg == ofType+segment(i) && s.by.Where == schemas.InLocation: // which ends in the ID
		return l.idSource(p, s), true
	case seg == inAge, seg == absent && s.by == nil, seg == ofType+segment(i):
		return plain, true
	case seg >= ofType, s.by == nil:
		return source{}, false
	case seg == absent:
		return l.absentSource(p, s, plain, exact)
	case seg == inactive, seg == active:
		return plain.ofActive(p, s, seg == active), true
	}
	return l.orderedSource(p, s), true
}

// orderedSource reads what has a value.
func (l *lister) orderedSource(p *params, s stream) source {
	switch s.by.Where {
	case schemas.InIndex:
		src := source{from: "attribute_values k", value: "k.val", where: []string{"k.path = " + p.arg(s.by.Path)}}
		if s.by.Multi {
			src.where = append(src.where, firstElement(p, s.by))
		}
		return src.joined(s)
	case schemas.InExternalID:
		return source{from: "external_ids k", value: "k.value", where: []string{"k.client = $1"}}.joined(s)
	case schemas.InID:
		return l.idSource(p, s)
	}
	if !l.filtered() {
		p.alone()
	}
	column := "k." + hotColumns[s.by.Where]
	src := source{from: "resources k", value: column, where: []string{"k.type = " + p.arg(s.typ.Name), column + " IS NOT NULL"}}
	if l.filtered() {
		return src.joined(s)
	}
	return src.keyed()
}

// ofActive keeps what is active, or what is not. Beside users, whose column follows
// their status, a type may have a boolean of that name.
func (src source) ofActive(p *params, s stream, on bool) source {
	if s.by.Where == schemas.InActive {
		src.where = append(src.where, "r.active = "+strings.ToUpper(strconv.FormatBool(on)))
		return src
	}
	src = source{from: "attribute_values k", where: []string{"k.path = " + p.arg(s.by.Path), "k.val = " + p.arg(strconv.FormatBool(on))}}.joined(s)
	src.value, src.order, src.after = "k.rid", []string{"k.rid"}, []string{"k.rid"}
	return src
}

// keyed orders by the value and the row number.
func (src source) keyed() source {
	src.rid = "k.rid"
	src.order = []string{src.value, "k.rid"}
	src.after = src.order
	return src
}

// joined brings the row in, for its type and the filter.
func (src source) joined(s stream) source {
	src.from += " CROSS JOIN resources r"
	src.where = append(src.where, "r.rid = k.rid", s.sel.where)
	return src.keyed()
}

// idPrefix begins the IDs of a type: all of them lie together in the order of IDs.
func idPrefix(typ string) string {
	switch typ {
	case typeUser:
		return id.User
	case typeGroup:
		return id.Group
	}
	return id.Resource
}

// idSource walks the index of IDs, which holds all types. The plus keeps SQLite from
// reading the whole type and sorting it.
func (l *lister) idSource(p *params, s stream) source {
	if !l.filtered() {
		p.alone()
	}
	typ, prefix := "k.type", idPrefix(s.typ.Name)
	if l.d.DB.Dialect() == sqldb.SQLite {
		typ = "+k.type"
	}
	src := source{from: "resources k", rid: "k.rid", value: "k.id", where: []string{
		typ + " = " + p.arg(s.typ.Name), "k.id >= " + p.arg(prefix), "k.id < " + p.arg(prefix+lastRune),
	}}
	if l.filtered() {
		src = src.joined(s)
	}
	src.order = []string{"k.id"}
	src.after = src.order
	return src
}

// absentSource reads what has no value. Of an attribute in the index of values only
// the document tells, unless it must be exact: then all values are read, as a set.
func (l *lister) absentSource(p *params, s stream, src source, exact bool) (source, bool) {
	switch s.by.Where {
	case schemas.InID, schemas.InCreated, schemas.InModified, schemas.InActive:
		return source{}, false
	case schemas.InExternalID:
		src.where = append(src.where, "NOT EXISTS (SELECT 1 FROM external_ids x WHERE x.rid = r.rid AND x.client = $1)")
		return src, true
	case schemas.InIndex:
		if exact {
			src.where = append(src.where, l.valueless(p, s.by))
		}
		return src, true
	}
	column := hotColumns[s.by.Where]
	src.where = append(src.where, "r."+column+" IS NULL")
	src.order = []string{"r." + column, "r.rid"}
	return src, true
}

// firstElement keeps, of the values k of a multi-valued attribute, the one that stands
// for the resource: of the primary element, or else of the first.
func firstElement(p *params, by *schemas.AttrRef) string {
	primary := by.Primary()
	if primary == "" {
		return "k.elem = 0"
	}
	marked := "SELECT 1 FROM attribute_values m WHERE m.path = " + p.arg(primary) + " AND m.val = 'true' AND m.rid = k.rid"
	return "(EXISTS (" + marked + " AND m.elem = k.elem) OR k.elem = 0 AND NOT EXISTS (" + marked + "))"
}

// text is the SELECT of the keys from a position on, all of them for a limit of 0.
func (src source) text(p *params, from position, limit int, descending bool) string {
	q := "SELECT " + src.rid + " AS rid, " + src.value + " AS val FROM " + src.from + " WHERE " + strings.Join(src.where, " AND ")
	than, direction := " > ", ""
	if descending {
		than, direction = " < ", " DESC"
	}
	if from.inside {
		q += " AND " + src.beyond(p, from, than)
	}
	if limit == 0 {
		return q
	}
	q += " ORDER BY " + strings.Join(src.order, direction+", ") + direction + " LIMIT " + p.arg(limit)
	if from.offset > 0 {
		q += " OFFSET " + p.arg(from.offset)
	}
	return q
}

// beyond compares with a position.
func (src source) beyond(p *params, from position, than string) string {
	switch {
	case len(src.after) == 2:
		return "(" + src.after[0] + ", " + src.after[1] + ")" + than + "(" + p.arg(from.value) + ", " + p.arg(from.rid) + ")"
	case src.after[0] == src.value && src.value != src.rid:
		return src.after[0] + than + p.arg(from.value)
	}
	return src.after[0] + than + p.arg(from.rid)
}
