package directory

import (
	"context"
	"slices"

	"github.com/provost-id/provost/schemas"
)

// ListQuery selects, sorts and pages. Count 0 asks for the total alone.
type ListQuery struct {
	Filter *schemas.Filter // nil for all
	// SortBy is the path of the attribute to sort by (RFC 7644, section 3.4.2.3), empty
	// for the order of creation. Resources without a value come last, or first when
	// Descending.
	SortBy     string
	Descending bool
	// StartIndex is 1-based (RFC 7644, section 3.4.2.4); ignored with a cursor.
	StartIndex int
	Count      int
	// UseCursor asks for cursor paging (RFC 9865); Cursor is empty for the first page.
	UseCursor bool
	Cursor    string
	NoTotal   bool // leaves Total at -1
	Groups    bool // reads the groups of users with them
	// Client is the principal: namespace of external IDs, owner of cursors and of walks
	// by start index.
	Client string
	// Base is the URL that the endpoints of resource types follow, as a client sees it:
	// a filter compares meta.location with it.
	Base string
	// Bounds leave out what the caller does not see. What it may not read is left to it.
	Bounds *Bounds
}

// TypeQuery is a resource type of a list over several, and the filter as the
// attributes of that type understand it.
type TypeQuery struct {
	Type   string
	Filter *schemas.Filter // nil for all
}

// Page is one page of a list.
type Page struct {
	// Total is how many match in all, -1 when not asked for. It is never less than the
	// index of the last resource shown: who walks by start index while resources are
	// deleted would stop before the end.
	Total     int
	Users     []*User
	Groups    []*Group
	Resources []*Resource // of any other type
	// Order holds the row numbers of all that is on the page, in the order of the list.
	Order []int64
	Next  string // cursor of the next page, empty at the end or without UseCursor
}

// Of returns what the page has of one resource type.
func (p *Page) Of(typ string) *Page {
	switch typ {
	case typeUser:
		return &Page{Users: p.Users}
	case typeGroup:
		return &Page{Groups: p.Groups}
	}
	var of Page
	for _, x := range p.Resources {
		if x.Type == typ {
			of.Resources = append(of.Resources, x)
		}
	}
	return &of
}

// List returns a page of the users (typ "User"), the groups (typ "Group") or the
// resources of another type that match. A cursor that is not one of ours, for this
// query, is a *CursorError; an attribute that cannot be sorted by is a *schemas.Error.
func (d *Directory) List(ctx context.Context, typ string, q ListQuery) (*Page, error) {
	return d.list(ctx, typ, []TypeQuery{{Type: typ, Filter: q.Filter}}, q)
}

// ListAll returns a page of one list over the resources of several types; q.Filter
// is left to each of them.
func (d *Directory) ListAll(ctx context.Context, of []TypeQuery, q ListQuery) (*Page, error) {
	return d.list(ctx, "", of, q)
}

func (d *Directory) list(ctx context.Context, endpoint string, of []TypeQuery, q ListQuery) (*Page, error) {
	l, err := d.newLister(endpoint, of, q)
	if err != nil {
		return nil, err
	}
	if err := l.locate(ctx); err != nil { // before any work for a cursor that is forged
		return nil, err
	}
	if err := l.compile(ctx); err != nil {
		return nil, err
	}
	entries, more, err := l.entries(ctx)
	if err != nil {
		return nil, err
	}
	p := &Page{Total: -1}
	for _, e := range entries {
		p.add(e)
	}
	return p, l.finish(ctx, p, entries, more)
}

func (p *Page) add(e listed) {
	p.Order = append(p.Order, e.rid)
	switch {
	case e.user != nil:
		p.Users = append(p.Users, e.user)
	case e.group != nil:
		p.Groups = append(p.Groups, e.group)
	default:
		p.Resources = append(p.Resources, e.other)
	}
}

// lister answers one query.
type lister struct {
	d        *Directory
	q        ListQuery
	scope    string // binds cursors and checkpoints to the query
	streams  []stream
	segments []segment
	from     position
	next     checkpoint // what is remembered for the page after this one
	total    int        // -1 while it is not known
}

// listLimits say when a sorted list is read in another way.
type listLimits struct{ few, looked int }

// stream is one resource type of a list.
type stream struct {
	typ    *schemas.Type
	filter *schemas.Filter
	by     *schemas.AttrRef // nil when the list is not sorted by an attribute of this type
	sel    selection
}

func (d *Directory) newLister(endpoint string, of []TypeQuery, q ListQuery) (*lister, error) {
	l := &lister{d: d, q: q, total: -1}
	var unsorted error
	for _, t := range of {
		s := stream{filter: t.Filter}
		var ok bool
		if s.typ, ok = d.Schemas().Type(t.Type); !ok { // removed since the request came
			return nil, ErrNotFound
		}
		if q.SortBy != "" {
			var err error
			if s.by, err = s.typ.Attr(q.SortBy); err != nil && unsorted == nil {
				unsorted = err
			}
		}
		l.streams = append(l.streams, s)
	}
	if q.SortBy != "" && !slices.ContainsFunc(l.streams, func(s stream) bool { return s.by != nil }) {
		return nil, unsorted
	}
	l.segments = l.order()
	l.scope = scope(endpoint, l.streams, q)
	return l, nil
}

// compile turns what each type selects into SQL.
func (l *lister) compile(ctx context.Context) (err error) {
	for i := range l.streams {
		s := &l.streams[i]
		q := l.q
		q.Filter = s.filter
		if s.sel, err = l.d.selection(ctx, l.d.DB, s.typ.Name, q); err != nil {
			return err
		}
	}
	return nil
}

// filtered says that the list is not all resources of its types.
func (l *lister) filtered() bool {
	if l.q.Bounds.groups() != nil {
		return true
	}
	return slices.ContainsFunc(l.streams, func(s stream) bool { return s.filter != nil && s.filter.Root != nil })
}

// entries returns the resources of the page, and whether there are more after it.
func (l *lister) entries(ctx context.Context) (all []listed, more bool, err error) {
	if l.q.Count <= 0 && !l.q.UseCursor {
		return nil, false, nil
	}
	limit := max(l.q.Count, 0) + 1 // one more tells whether there is a next page
	few, err := l.isFew(ctx)
	if err != nil {
		return nil, false, err
	}
	if few {
		all, few, err = l.sortFew(ctx, limit)
	}
	if !few && err == nil {
		all, err = l.walk(ctx, limit)
	}
	if more = len(all) == limit; more {
		all = all[:limit-1]
	}
	return all, more, err
}

// finish completes the page: its total, and how the next one is found.
func (l *lister) finish(ctx context.Context, p *Page, entries []listed, more bool) error {
	after := l.from
	if n := len(entries); n > 0 {
		after = entries[n-1].position()
	}
	saved := l.remember(ctx, after, len(entries), more)
	err := l.setTotal(ctx, p, more)
	<-saved
	if err == nil && l.q.UseCursor && more {
		p.Next = l.cursor(after)
	}
	return err
}
