package directory

import (
	"slices"

	"github.com/provost-id/provost/schemas"
)

// The matches of one comparison are a range of an index, and those of its opposite the
// rest of the total: counting them needs no look at a resource. Any other filter is
// counted row by row.

// counter writes the number of matches as an expression.
type counter struct {
	*compiler
	types []*schemas.Type // all there are
}

// counted is the number of matches of one type, or empty when no index tells it: no index
// knows whom a caller who is confined to groups sees.
func (l *lister) counted(s stream) (expression string, args []any) {
	if s.filter == nil || s.filter.Root == nil || l.q.Bounds.groups() != nil {
		return "", nil
	}
	c := counter{
		compiler: &compiler{dialect: l.d.DB.Dialect(), typ: s.typ.Name, client: l.q.Client},
		types:    l.d.Schemas().Types(),
	}
	expression = c.count(s.filter.Root)
	return expression, c.args
}

func (c counter) count(n schemas.Node) string {
	switch n := n.(type) {
	case *schemas.Not:
		return c.rest(n.Term)
	case *schemas.Compare:
		if n.Op == schemas.NE {
			eq := *n
			eq.Op = schemas.EQ
			return c.rest(&eq)
		}
		return c.compared(n)
	}
	return ""
}

// rest counts who does not match.
func (c counter) rest(n schemas.Node) string {
	if matches := c.count(n); matches != "" {
		return "(" + c.total() + " - " + matches + ")"
	}
	return ""
}

func (c counter) total() string {
	return "(SELECT CAST(COALESCE(SUM(delta), 0) AS BIGINT) FROM totals WHERE type = " + c.arg(c.typ) + ")"
}

func (c counter) compared(n *schemas.Compare) string {
	switch n.Attr.Where {
	case schemas.InActive:
		return c.active(n)
	case schemas.InID, schemas.InCreated, schemas.InModified:
		if n.Op == schemas.PR {
			return c.total()
		}
	case schemas.InIndex:
		return c.values(n)
	}
	return ""
}

// active: only who is inactive has an index.
func (c counter) active(n *schemas.Compare) string {
	inactive := "(SELECT count(*) FROM resources WHERE type = " + c.arg(c.typ) + " AND active = FALSE)"
	switch {
	case n.Op == schemas.EQ && n.Value == "false":
		return inactive
	case n.Op == schemas.EQ:
		return "(" + c.total() + " - " + inactive + ")"
	}
	return ""
}

// values counts the values of a single-valued attribute that no other type has: the
// index does not say of which type they are.
func (c counter) values(n *schemas.Compare) string {
	shared := slices.ContainsFunc(c.types, func(t *schemas.Type) bool { return t.Name != c.typ && t.Indexes(n.Attr.Path) })
	if shared || n.Attr.Multi || n.Attr.Unindexed() && n.Op != schemas.PR {
		return ""
	}
	return "(SELECT count(*) FROM attribute_values WHERE path = " + c.arg(n.Attr.Path) + c.and("val", n) + ")"
}
