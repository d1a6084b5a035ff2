package directory

import (
	"strings"

	"github.com/provost-id/provost/schemas"
)

// elements is a SELECT of (rid, elem): the elements of a multi-valued attribute that
// satisfy a node. Both halves of an "and" must hold of the same element.
func (b *compiler) elements(attr *schemas.AttrRef, n schemas.Node) string {
	if attr.Type != schemas.Complex { // the element is the value, in one row
		return "SELECT rid, elem FROM attribute_values WHERE path = " + b.arg(attr.Path) + " AND " + b.valueProbe(n)
	}
	switch n := n.(type) {
	case *schemas.Or:
		sets := make([]string, len(n.Terms))
		for i, t := range n.Terms {
			sets[i] = b.elements(attr, t)
		}
		return strings.Join(sets, " UNION ")
	case *schemas.And:
		return b.elementsAnd(attr, n.Terms)
	case *schemas.Compare:
		if n.Op != schemas.NE {
			return "SELECT rid, elem FROM attribute_values WHERE path = " + b.arg(n.Attr.Path) + b.and("val", n)
		}
	}
	e := b.alias("e")
	return "SELECT " + e + ".rid, " + e + ".elem FROM (" + b.allElements(attr) + ") " + e + " WHERE " + b.elementProbe(n, e)
}

func (b *compiler) elementsAnd(attr *schemas.AttrRef, terms []schemas.Node) string {
	driver := max(b.driver(terms), 0)
	e := b.alias("e")
	query := "SELECT " + e + ".rid, " + e + ".elem FROM (" + b.elements(attr, terms[driver]) + ") " + e
	link := " WHERE "
	for i, t := range terms {
		if i != driver {
			query += link + b.elementProbe(t, e)
			link = " AND "
		}
	}
	return query
}

// allElements is every element of an attribute: one row of the index is enough to know
// it by. Sub-attributes sort between "emails." and "emails/".
func (b *compiler) allElements(attr *schemas.AttrRef) string {
	return "SELECT rid, elem FROM attribute_values WHERE path = " + b.arg(attr.Path) +
		" UNION SELECT rid, elem FROM attribute_values WHERE path > " + b.arg(attr.Path+".") + " AND path < " + b.arg(attr.Path+"/")
}

// elementProbe is a node as a condition on the element called e.
func (b *compiler) elementProbe(n schemas.Node, e string) string {
	probe := func(t schemas.Node) string { return b.elementProbe(t, e) }
	switch n := n.(type) {
	case *schemas.And:
		return linked(n.Terms, probe, " AND ")
	case *schemas.Or:
		return linked(n.Terms, probe, " OR ")
	case *schemas.Not:
		return "NOT " + b.elementProbe(n.Term, e)
	}
	c := n.(*schemas.Compare) // a value path has no value path inside (RFC 7644, figure 1)
	switch c.Op {
	case schemas.NE:
		eq := *c
		eq.Op = schemas.EQ
		return "NOT " + b.elementProbe(&eq, e)
	case schemas.EQ:
		v := b.alias("v")
		return "EXISTS (SELECT 1 FROM attribute_values " + v + " WHERE " + v + ".path = " + b.arg(c.Attr.Path) + b.and(v+".val", c) +
			" AND " + v + ".rid = " + e + ".rid AND " + v + ".elem = " + e + ".elem)"
	}
	return "(" + e + ".rid, " + e + ".elem) IN (SELECT rid, elem FROM attribute_values WHERE path = " +
		b.arg(c.Attr.Path) + b.and("val", c) + ")"
}

// valueProbe is a node as a condition on a row of the index: of an attribute that has
// simple values, which RFC 7644 calls "value" inside brackets.
func (b *compiler) valueProbe(n schemas.Node) string {
	switch n := n.(type) {
	case *schemas.And:
		return linked(n.Terms, b.valueProbe, " AND ")
	case *schemas.Or:
		return linked(n.Terms, b.valueProbe, " OR ")
	case *schemas.Not:
		return "NOT " + b.valueProbe(n.Term)
	}
	c := n.(*schemas.Compare)
	if c.Op == schemas.NE {
		return "val <> " + b.arg(c.Value)
	}
	return "(" + b.compare("val", c) + ")"
}

// linked links conditions, in parentheses.
func linked(terms []schemas.Node, condition func(schemas.Node) string, op string) string {
	all := make([]string, len(terms))
	for i, t := range terms {
		all[i] = condition(t)
	}
	return "(" + strings.Join(all, op) + ")"
}
