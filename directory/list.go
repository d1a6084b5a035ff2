package directory

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"github.com/provost-id/provost/schemas"
)

// ListQuery selects and pages. Count 0 asks for the total alone.
type ListQuery struct {
	Filter *schemas.Filter // nil for all
	// Status, when set, keeps users of one status, or groups of one GroupType;
	// NotStatus leaves one out.
	Status, NotStatus string
	// StartIndex is 1-based (RFC 7644, section 3.4.2.4); ignored with a cursor.
	StartIndex int
	Count      int
	// UseCursor asks for cursor paging (RFC 9865); Cursor is empty for the first page.
	UseCursor bool
	Cursor    string
	NoTotal   bool   // leaves Total at -1
	Client    string // the principal: namespace of external IDs, owner of the cursor
	// Base is the URL that the endpoints of resource types follow, as a client sees it:
	// a filter compares meta.location with it.
	Base string
}

// Page is one page of a list, in order of creation.
type Page struct {
	Total     int // matches in all, -1 when not asked for
	Users     []*User
	Groups    []*Group
	Resources []*Resource // of any other type
	Next      string      // cursor of the next page, empty at the end or without UseCursor
}

func (p *Page) len() int { return len(p.Users) + len(p.Groups) + len(p.Resources) }

// List returns a page of the users (typ "User"), the groups (typ "Group") or the
// resources of another type that match. A cursor that is not one of ours, for this
// query, is a *CursorError.
func (d *Directory) List(ctx context.Context, typ string, q ListQuery) (*Page, error) {
	sel, err := d.selection(ctx, d.DB, typ, q)
	if err != nil {
		return nil, err
	}
	start, err := d.position(typ, q)
	if err != nil {
		return nil, err
	}
	p := &Page{Total: -1}
	if q.Count > 0 {
		if err := d.readPage(ctx, typ, q, sel, start, p); err != nil {
			return nil, err
		}
	}
	if !q.NoTotal {
		if p.Total, err = d.total(ctx, typ, q, sel, start, p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// readPage reads row numbers from an index first, so that what an offset passes over
// costs an index entry each, and then the rows themselves.
func (d *Directory) readPage(ctx context.Context, typ string, q ListQuery, sel selection, start position, p *Page) error {
	args := sel.args
	param := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	limit := q.Count
	if q.UseCursor {
		limit++ // one more tells whether there is a next page
	}
	inner := "SELECT r.rid FROM resources r WHERE " + sel.where + " AND r.rid > " + param(start.after) +
		" ORDER BY r.rid LIMIT " + param(limit) + " OFFSET " + param(start.offset)
	rows, err := d.DB.Query(ctx, "SELECT "+columnsOf(typ)+" FROM resources r WHERE r.rid IN ("+inner+") ORDER BY r.rid", args...)
	if err != nil {
		return fmt.Errorf("list %s: %w", typ, err)
	}
	if err := p.scan(typ, rows); err != nil {
		return fmt.Errorf("list %s: %w", typ, err)
	}
	if q.UseCursor {
		if p.cut(q.Count) {
			p.Next = d.nextCursor(typ, q, p)
		}
		return nil
	}
	d.remember(typ, q, p)
	return nil
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

func (p *Page) scan(typ string, rows *sql.Rows) error {
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		if err := p.scanRow(typ, rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (p *Page) scanRow(typ string, row scanner) error {
	switch typ {
	case typeUser:
		u, err := scanUser(row)
		p.Users = append(p.Users, u)
		return err
	case typeGroup:
		g, err := scanGroup(row)
		p.Groups = append(p.Groups, g)
		return err
	}
	x, err := scanResource(typ, row)
	p.Resources = append(p.Resources, x)
	return err
}

// last is the row number of the last row, 0 of an empty page.
func (p *Page) last() int64 {
	if n := len(p.Groups); n > 0 {
		return p.Groups[n-1].RID
	}
	if n := len(p.Users); n > 0 {
		return p.Users[n-1].RID
	}
	if n := len(p.Resources); n > 0 {
		return p.Resources[n-1].RID
	}
	return 0
}

// total counts the matches, without a query when the page shows the end.
func (d *Directory) total(ctx context.Context, typ string, q ListQuery, sel selection, start position, p *Page) (n int, err error) {
	first := start.after == 0 && start.offset == 0
	if first && p.Next == "" && p.len() < q.Count {
		return p.len(), nil
	}
	if q.Filter == nil && q.Status == "" && q.NotStatus == "" {
		return total(ctx, d.DB, typ)
	}
	// $1 is of the columns; counting names it too, or PostgreSQL could not tell its type.
	err = d.DB.QueryRow(ctx, "SELECT count(*) FROM resources r WHERE $1 = $1 AND "+sel.where, sel.args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", typ, err)
	}
	return n, nil
}
