package directory

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// walk reads the page along the indexes, segment by segment.
func (l *lister) walk(ctx context.Context, limit int) ([]listed, error) {
	var all []listed
	from := l.from
	for from.segment < len(l.segments) {
		found, err := l.segment(ctx, from, limit-len(all))
		if err != nil {
			return nil, err
		}
		if all = append(all, found...); len(all) == limit {
			break
		}
		if from.offset > 0 && len(found) == 0 {
			size, err := l.segmentSize(ctx, from)
			if err != nil {
				return nil, err
			}
			from.offset -= size
		} else {
			from.offset = 0
		}
		from = position{segment: from.segment + 1, offset: max(from.offset, 0)}
	}
	return all, nil
}

// segment reads the entries of one segment.
func (l *lister) segment(ctx context.Context, from position, limit int) ([]listed, error) {
	switch {
	case len(l.streams) > 1:
		return l.merge(ctx, from, limit)
	case l.onlyDocumentTells(0, from) && from.offset == 0:
		return l.readAbsent(ctx, 0, from, limit)
	}
	return l.query(ctx, 0, from, limit, true, true)
}

// query reads the keys of one type, with the resources themselves or without.
func (l *lister) query(ctx context.Context, i int, from position, limit int, exact, whole bool) ([]listed, error) {
	p := params(slices.Clip(l.streams[i].sel.args))
	src, ok := l.source(&p, l.segments[from.segment], i, exact)
	if !ok {
		return nil, nil
	}
	keys := src.text(&p, from, limit, l.descending())
	typ := l.streams[i].typ.Name
	columns, join := "keys.rid", " WHERE $1 = $1" // whose type PostgreSQL could not tell otherwise
	if whole {
		columns, join = l.columns(typ), " CROSS JOIN resources r WHERE r.rid = keys.rid"
	}
	rows, err := l.d.DB.Query(ctx, "SELECT keys.val, "+columns+" FROM ("+keys+") keys"+join, p...)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", typ, err)
	}
	found, err := l.scan(rows, i, from.segment, whole)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", typ, err)
	}
	slices.SortFunc(found, l.compare)
	return found, nil
}

// segmentSize counts what a segment holds after a position.
func (l *lister) segmentSize(ctx context.Context, from position) (size int, err error) {
	for i, s := range l.streams {
		p := params(slices.Clip(s.sel.args))
		src, ok := l.source(&p, l.segments[from.segment], i, true)
		if !ok {
			continue
		}
		all := src.text(&p, position{segment: from.segment, inside: from.inside, value: from.value, rid: from.rid}, 0, l.descending())
		n, err := l.d.DB.Count(ctx, "SELECT count(*) FROM ("+all+") keys WHERE $1 = $1", p...)
		if err != nil {
			return 0, fmt.Errorf("count %s: %w", s.typ.Name, err)
		}
		size += n
	}
	return size, nil
}

// merge reads one segment over several types: the keys of each, then the resources of
// those that come first. Who is deleted in between is no reason for a short page.
func (l *lister) merge(ctx context.Context, from position, limit int) ([]listed, error) {
	var all []listed
	for {
		keys, err := l.mergeKeys(ctx, from, limit-len(all))
		if err != nil || len(keys) == 0 {
			return all, err
		}
		more := len(keys) == limit-len(all)
		from = keys[len(keys)-1].position()
		found, err := l.fill(ctx, keys)
		all = append(all, found...)
		if err != nil || !more || len(all) == limit {
			return all, err
		}
	}
}

func (l *lister) mergeKeys(ctx context.Context, from position, limit int) ([]listed, error) {
	first := from
	first.offset = 0
	var all []listed
	for i := range l.streams {
		read := func() ([]listed, error) { return l.query(ctx, i, first, limit+from.offset, true, false) }
		if l.onlyDocumentTells(i, from) && from.offset == 0 {
			read = func() ([]listed, error) { return l.readAbsent(ctx, i, first, limit) }
		}
		found, err := read()
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, l.compare)
	all = all[min(from.offset, len(all)):]
	return all[:min(limit, len(all))], nil
}

// fill reads the resources of entries that are keys alone, and leaves out who is gone.
func (l *lister) fill(ctx context.Context, keys []listed) ([]listed, error) {
	whole := map[int64]listed{}
	for i, s := range l.streams {
		var of []any
		for _, e := range keys {
			if e.stream == i {
				of = append(of, e.rid)
			}
		}
		if of = padded(of); len(of) == 0 {
			continue
		}
		typ := s.typ.Name
		rows, err := l.d.DB.Query(ctx, "SELECT r.rid, "+l.columns(typ)+" FROM resources r WHERE r.rid IN ("+list(2, len(of))+")",
			append([]any{l.q.Client}, of...)...)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", typ, err)
		}
		found, err := l.scan(rows, i, 0, true)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", typ, err)
		}
		for _, e := range found {
			whole[e.rid] = e
		}
	}
	kept := keys[:0]
	for _, e := range keys {
		if w, ok := whole[e.rid]; ok {
			e.doc, e.user, e.group, e.other = w.doc, w.user, w.group, w.other
			kept = append(kept, e)
		}
	}
	return kept, nil
}

// columnsOf are the columns that reading a resource of a type wants.
func columnsOf(typ string) string {
	switch typ {
	case typeUser:
		return userColumns
	case typeGroup:
		return groupColumns
	}
	return resourceColumns
}

func (l *lister) readsGroups(typ string) bool { return typ == typeUser && l.q.Groups }

// columns are those that the list wants.
func (l *lister) columns(typ string) string {
	if l.readsGroups(typ) {
		return userColumns + ", " + groupsBeside(l.d.everyone.rid)
	}
	return columnsOf(typ)
}

// groupedRow is a row whose last column is the groups of a user.
type groupedRow struct {
	scanner
	groups *GroupsText
}

// Scan implements scanner.
func (g groupedRow) Scan(dest ...any) error {
	return g.scanner.Scan(append(dest, (*string)(g.groups))...)
}

// keyedRow is a row whose first column is the value of the key.
type keyedRow struct {
	scanner
	value *any
}

// Scan implements scanner.
func (k keyedRow) Scan(dest ...any) error { return k.scanner.Scan(append([]any{k.value}, dest...)...) }

func (l *lister) scan(rows *sql.Rows, stream, segment int, whole bool) ([]listed, error) {
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []listed
	for rows.Next() {
		e := listed{stream: stream, segment: segment}
		if err := l.read(rows, &e, whole); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// read is scan of a row that begins with the value of the key.
func (l *lister) read(row scanner, e *listed, whole bool) error {
	typ := l.streams[e.stream].typ.Name
	row = keyedRow{row, &e.value}
	var groups GroupsText
	withGroups := whole && l.readsGroups(typ)
	if withGroups {
		row = groupedRow{row, &groups}
	}
	if err := e.scan(row, typ, whole); err != nil {
		return err
	}
	if withGroups {
		e.user.Groups = groups
	}
	if text, ok := e.value.([]byte); ok {
		e.value = string(text)
	}
	return nil
}

// scan reads the rows of a type into the page.
func (p *Page) scan(typ string, rows *sql.Rows) error {
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		var e listed
		if err := e.scan(rows, typ, true); err != nil {
			return err
		}
		p.add(e)
	}
	return rows.Err()
}

func (e *listed) scan(row scanner, typ string, whole bool) (err error) {
	switch {
	case !whole:
		err = row.Scan(&e.rid)
	case typ == typeUser:
		if e.user, err = scanUser(row); err == nil {
			e.rid, e.doc = e.user.RID, e.user.Doc
		}
	case typ == typeGroup:
		if e.group, err = scanGroup(row); err == nil {
			e.rid, e.doc = e.group.RID, e.group.Doc
		}
	default:
		if e.other, err = scanResource(typ, row); err == nil {
			e.rid, e.doc = e.other.RID, e.other.Doc
		}
	}
	return err
}
