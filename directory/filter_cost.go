package directory

import (
	"math"
	"strings"

	"github.com/provost-id/provost/schemas"
)

// cost says about how many rows of an index are read to find the rows of a node. What
// a filter says of itself is an order only; measure replaces it by counts.
type cost int64

const (
	costUnique cost = 1             // one value that one row has
	costEqual  cost = 100           // one value of an index
	costRange  cost = 10_000        // a range of an index
	costMany   cost = 1_000_000     // one value of an index that a large part of all rows has
	costPath   cost = 100_000_000   // all values of one attribute
	costWalk   cost = math.MaxInt64 // no set: every row of the type is looked at
)

// driver is the term of an "and" that is the cheapest to find rows by, or -1.
func (b *compiler) driver(terms []schemas.Node) int {
	driver, best := -1, costWalk
	for i, t := range terms {
		if c := b.cost(t); c < best {
			driver, best = i, c
		}
	}
	return driver
}

func (b *compiler) cost(n schemas.Node) cost {
	if size, ok := b.sizes[n]; ok {
		return size
	}
	switch n := n.(type) {
	case *schemas.And:
		best := costWalk
		for _, t := range n.Terms {
			best = min(best, b.cost(t))
		}
		return best
	case *schemas.Or:
		var sum cost
		for _, t := range n.Terms {
			c := b.cost(t)
			if c == costWalk {
				return costWalk
			}
			sum += c
		}
		return sum
	case *schemas.ValuePath:
		if !inIndex(n.Attr) {
			return relationCost(n.Node)
		}
		return min(b.cost(n.Node), costPath)
	case *schemas.Compare:
		return compareCost(n)
	}
	return costWalk
}

func compareCost(n *schemas.Compare) cost {
	switch n.Attr.Where {
	case schemas.InVersion, schemas.InStatusChanged, schemas.InActivated, schemas.InMembersChanged:
		return costWalk
	case schemas.InStatus: // ACTIVE is in no index
		if n.Op == schemas.EQ && n.Value != string(Active) {
			return costRange
		}
		return costWalk
	case schemas.InMembers, schemas.InGroups:
		return relationCost(n)
	case schemas.InActive:
		if n.Op == schemas.EQ && n.Value == "false" {
			return costRange
		}
		return costWalk
	}
	if isUnindexed(n) {
		return costWalk
	}
	switch n.Op {
	case schemas.EQ:
		return equalCost(n.Attr)
	case schemas.SW, schemas.GT, schemas.GE, schemas.LT, schemas.LE:
		return costRange
	case schemas.CO, schemas.EW:
		return costPath
	case schemas.PR:
		if inIndex(n.Attr) || n.Attr.Where == schemas.InExternalID {
			return costPath
		}
	}
	return costWalk
}

func equalCost(a *schemas.AttrRef) cost {
	switch a.Where {
	case schemas.InID, schemas.InUserName, schemas.InExternalID:
		return costUnique
	case schemas.InSchemas:
		return costMany
	case schemas.InIndex:
		switch {
		case a.Unique():
			return costUnique
		case a.Type == schemas.Boolean, strings.HasSuffix(a.Path, ".type"):
			return costMany
		}
	}
	return costEqual
}

// cheap says that a node can be probed row by row: by columns of the row, or by values
// that the index is asked for together with the row.
func (b *compiler) cheap(n schemas.Node) bool {
	switch n := n.(type) {
	case *schemas.And:
		return every(n.Terms, b.cheap)
	case *schemas.Or:
		return every(n.Terms, b.cheap)
	case *schemas.Not:
		return b.cheap(n.Term)
	case *schemas.ValuePath:
		return !inIndex(n.Attr) || n.Attr.Type == schemas.Complex && b.cost(n.Node) < costPath && onlyEqual(n.Node)
	}
	c := n.(*schemas.Compare)
	return !inIndex(c.Attr) || onlyEqual(c)
}

// onlyEqual says that the index is asked for nothing but values.
func onlyEqual(n schemas.Node) bool {
	switch n := n.(type) {
	case *schemas.And:
		return every(n.Terms, onlyEqual)
	case *schemas.Or:
		return every(n.Terms, onlyEqual)
	case *schemas.Not:
		return onlyEqual(n.Term)
	}
	c, ok := n.(*schemas.Compare)
	return ok && (c.Op == schemas.EQ || c.Op == schemas.NE) && !c.Attr.Unindexed()
}

func every(terms []schemas.Node, f func(schemas.Node) bool) bool {
	for _, t := range terms {
		if !f(t) {
			return false
		}
	}
	return true
}

func some(terms []schemas.Node, f func(schemas.Node) bool) bool {
	for _, t := range terms {
		if f(t) {
			return true
		}
	}
	return false
}
