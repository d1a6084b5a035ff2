package directory

import (
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// probe is a node as a condition on the row called r. Below a not, a comparison with
// an absent value must be false and not unknown.
func (b *compiler) probe(n schemas.Node, r string, negated bool) string {
	if rids, ok := b.held[n]; ok {
		return b.listed("+"+r+".rid", rids)
	}
	switch n := n.(type) {
	case *schemas.And:
		return b.probes(n.Terms, r, negated, " AND ")
	case *schemas.Or:
		if b.dialect == sqldb.PostgreSQL && !b.cheap(n) {
			return b.probeUnion(n.Terms, r)
		}
		return b.probes(n.Terms, r, negated, " OR ")
	case *schemas.Not:
		if _, held := b.held[n.Term]; b.dialect == sqldb.PostgreSQL && !held && !b.cheap(n.Term) {
			return b.antiJoin(n.Term, r)
		}
		return "NOT " + b.probe(n.Term, r, true)
	case *schemas.ValuePath:
		if !inIndex(n.Attr) {
			return b.relationProbe(n.Attr.Where, n.Node, r)
		}
		e := b.alias("e")
		from := "(SELECT " + e + ".rid FROM (" + b.elements(n.Attr, n.Node) + ") " + e
		if b.cheap(n) {
			return "EXISTS " + from + " WHERE " + e + ".rid = " + r + ".rid)"
		}
		return "+" + r + ".rid IN " + from + ")"
	}
	return b.probeCompare(n.(*schemas.Compare), r, negated)
}

// antiJoin is the complement of what is not cheap, in the words that PostgreSQL takes for
// a join. NOT IN, and anything below an OR, it reads once per row as soon as the set is
// too large for its work_mem.
func (b *compiler) antiJoin(n schemas.Node, r string) string {
	switch n := n.(type) {
	case *schemas.And:
		return b.probe(&schemas.Or{Terms: negations(n.Terms)}, r, false)
	case *schemas.Or:
		return b.probe(&schemas.And{Terms: negations(n.Terms)}, r, false)
	case *schemas.ValuePath:
		e := b.alias("e")
		return "NOT EXISTS (SELECT 1 FROM (" + b.elements(n.Attr, n.Node) + ") " + e + " WHERE " + e + ".rid = " + r + ".rid)"
	}
	c := n.(*schemas.Compare) // a Not below a Not is none
	return "NOT EXISTS (SELECT 1 FROM attribute_values v WHERE v.path = " + b.arg(c.Attr.Path) + b.and("v.val", c) + " AND v.rid = " + r + ".rid)"
}

func negations(terms []schemas.Node) []schemas.Node {
	all := make([]schemas.Node, len(terms))
	for i, t := range terms {
		if not, ok := t.(*schemas.Not); ok {
			all[i] = not.Term
		} else {
			all[i] = &schemas.Not{Term: t}
		}
	}
	return all
}

// probeUnion is an OR as the union of sets, each of them found in the whole type.
func (b *compiler) probeUnion(terms []schemas.Node, r string) string {
	sets := make([]string, len(terms))
	for i, t := range terms {
		x := b.alias("r")
		sets[i] = "SELECT " + x + ".rid FROM resources " + x + " WHERE " + b.ofType(x+".type") + " AND " + b.probe(t, x, false)
	}
	return r + ".rid IN (" + strings.Join(sets, " UNION ") + ")"
}

func (b *compiler) probes(terms []schemas.Node, r string, negated bool, op string) string {
	all := make([]string, len(terms))
	for i, t := range terms {
		all[i] = b.probe(t, r, negated)
	}
	return "(" + strings.Join(all, op) + ")"
}

func (b *compiler) probeCompare(n *schemas.Compare, r string, negated bool) string {
	switch n.Attr.Where {
	case schemas.InMembers, schemas.InGroups:
		return b.relationProbe(n.Attr.Where, n, r)
	case schemas.InExternalID:
		return "EXISTS (SELECT 1 FROM external_ids x WHERE x.rid = " + r + ".rid AND x.client = " + b.arg(b.client) + b.and("x.value", n) + ")"
	case schemas.InIndex, schemas.InSchemas:
		return b.probeIndex(n, r)
	}
	column := r + "." + hotColumns[n.Attr.Where]
	if n.Attr.Where == schemas.InMembersChanged { // of a group that never had any
		column = "COALESCE(" + column + ", " + r + ".created)"
	}
	condition := "(" + b.compare(column, n) + ")"
	if negated && isNullable(n.Attr.Where) {
		return "COALESCE(" + condition + ", FALSE)"
	}
	return condition
}

// probeIndex looks an equal value up for each row. Any other comparison is read once
// as a set; the plus keeps SQLite from making it the driver.
func (b *compiler) probeIndex(n *schemas.Compare, r string) string {
	if n.Op == schemas.EQ {
		return "EXISTS (SELECT 1 FROM attribute_values v WHERE v.path = " + b.arg(n.Attr.Path) + b.and("v.val", n) +
			" AND v.rid = " + r + ".rid)"
	}
	return "+" + r + ".rid IN (SELECT rid FROM attribute_values WHERE path = " + b.arg(n.Attr.Path) + b.and("val", n) + ")"
}

func constant(v bool) string {
	if v {
		return "TRUE"
	}
	return "FALSE"
}
