package directory

import (
	"strings"

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
		return b.probes(n.Terms, r, negated, " OR ")
	case *schemas.Not:
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
