package directory

import "github.com/provost-id/provost/schemas"

// unindexed returns a comparison that the index cannot answer, or nil.
func unindexed(n schemas.Node) *schemas.Compare {
	switch n := n.(type) {
	case *schemas.And:
		return anyUnindexed(n.Terms)
	case *schemas.Or:
		return anyUnindexed(n.Terms)
	case *schemas.Not:
		return unindexed(n.Term)
	case *schemas.ValuePath:
		return unindexed(n.Node)
	}
	if c := n.(*schemas.Compare); isUnindexed(c) {
		return c
	}
	return nil
}

func isUnindexed(c *schemas.Compare) bool {
	return c.Attr.Where == schemas.InIndex && (c.Attr.Building() || c.Op != schemas.PR && c.Attr.Unindexed())
}

func anyUnindexed(terms []schemas.Node) *schemas.Compare {
	for _, t := range terms {
		if c := unindexed(t); c != nil {
			return c
		}
	}
	return nil
}

// weaken replaces comparisons that the index cannot answer by what it does know, that
// there is a value, and drops what cannot be so replaced. What it returns holds of all
// that n holds of, and of more; nil is everything.
func weaken(n schemas.Node) schemas.Node {
	if unindexed(n) == nil {
		return n
	}
	switch n := n.(type) {
	case *schemas.And:
		var terms []schemas.Node
		for _, t := range n.Terms {
			if w := weaken(t); w != nil {
				terms = append(terms, w)
			}
		}
		return and(terms)
	case *schemas.Or:
		terms := make([]schemas.Node, len(n.Terms))
		for i, t := range n.Terms {
			if terms[i] = weaken(t); terms[i] == nil {
				return nil
			}
		}
		return &schemas.Or{Terms: terms}
	case *schemas.ValuePath:
		inner := weaken(n.Node)
		if inner == nil {
			return nil
		}
		return &schemas.ValuePath{Attr: n.Attr, Node: inner}
	case *schemas.Compare:
		if n.Op == schemas.NE || n.Attr.Building() {
			return nil
		}
		present := *n
		present.Op = schemas.PR
		return &present
	}
	return nil // a not
}
