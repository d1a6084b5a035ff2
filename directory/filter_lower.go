package directory

import (
	"strings"

	"github.com/provost-id/provost/schemas"
)

// verdict is what is known of a node before any resource is looked at.
type verdict int

const (
	open verdict = iota // it depends on the resource
	always
	never
)

func verdictOf(holds bool) verdict {
	if holds {
		return always
	}
	return never
}

func (v verdict) not() verdict { return [...]verdict{open: open, always: never, never: always}[v] }

// lower simplifies a node. What it returns has no NE, nothing that is the same for
// every resource of the type, and no comparison with the URL of a resource.
func (b *compiler) lower(n schemas.Node) (schemas.Node, verdict) {
	switch n := n.(type) {
	case *schemas.And:
		terms, v := b.lowerAll(n.Terms, never)
		if v != open || len(terms) == 1 {
			return first(terms), v
		}
		return &schemas.And{Terms: terms}, open
	case *schemas.Or:
		return b.lowerOr(n.Terms)
	case *schemas.Not:
		return b.lowerNot(n.Term)
	case *schemas.ValuePath:
		if n.Attr.Where == schemas.InSchemas && holdsOf(n.Node, schemas.Fold(b.core)) {
			return nil, always
		}
		return n, open
	}
	return b.lowerCompare(n.(*schemas.Compare))
}

func (b *compiler) lowerOr(all []schemas.Node) (schemas.Node, verdict) {
	terms, v := b.lowerAll(all, always)
	if v != open || len(terms) == 1 {
		return first(terms), v
	}
	return &schemas.Or{Terms: terms}, open
}

func first(terms []schemas.Node) schemas.Node {
	if len(terms) == 0 {
		return nil
	}
	return terms[0]
}

// lowerAll lowers the terms of an "and", which one that is never true decides, or of an
// "or", which one that always is does. Terms that decide nothing are left out.
func (b *compiler) lowerAll(all []schemas.Node, decides verdict) ([]schemas.Node, verdict) {
	terms := make([]schemas.Node, 0, len(all))
	for _, t := range all {
		n, v := b.lower(t)
		switch v {
		case decides:
			return nil, decides
		case open:
			terms = append(terms, n)
		}
	}
	if len(terms) == 0 {
		return nil, decides.not()
	}
	return terms, open
}

func (b *compiler) lowerNot(term schemas.Node) (schemas.Node, verdict) {
	n, v := b.lower(term)
	if v != open {
		return nil, v.not()
	}
	if twice, ok := n.(*schemas.Not); ok {
		return twice.Term, open
	}
	return &schemas.Not{Term: n}, open
}

func (b *compiler) lowerCompare(c *schemas.Compare) (schemas.Node, verdict) {
	if c.Op == schemas.NE {
		eq := *c
		eq.Op = schemas.EQ
		return b.lowerNot(&eq)
	}
	switch c.Attr.Where {
	case schemas.InResourceType:
		return nil, verdictOf(holds(c.Op, b.typ, c.Value))
	case schemas.InUserType:
		return nil, verdictOf(holds(c.Op, schemas.UserType, c.Value))
	case schemas.InSchemas:
		if holds(c.Op, schemas.Fold(b.core), c.Value) {
			return nil, always
		}
	case schemas.InLocation:
		return b.lowerLocation(c)
	case schemas.InID, schemas.InCreated, schemas.InModified, schemas.InVersion, schemas.InActive,
		schemas.InStatus, schemas.InStatusChanged, schemas.InMembersChanged:
		if c.Op == schemas.PR {
			return nil, always
		}
	}
	return c, open
}

// holdsOf evaluates a value path on an element that is a simple value.
func holdsOf(n schemas.Node, value string) bool {
	of := func(t schemas.Node) bool { return holdsOf(t, value) }
	switch n := n.(type) {
	case *schemas.And:
		return every(n.Terms, of)
	case *schemas.Or:
		return some(n.Terms, of)
	case *schemas.Not:
		return !of(n.Term)
	}
	c := n.(*schemas.Compare)
	if c.Op == schemas.NE {
		return value != c.Value
	}
	return holds(c.Op, value, c.Value)
}

var idRef = &schemas.AttrRef{Where: schemas.InID, Path: "id", Type: schemas.String}

// lowerLocation turns a comparison with the URL of a resource into one with what is
// behind the part that all URLs of the type have in common: the ID.
func (b *compiler) lowerLocation(c *schemas.Compare) (schemas.Node, verdict) {
	id, behind := strings.CutPrefix(c.Value, b.location)
	switch c.Op {
	case schemas.PR:
		return nil, always
	case schemas.CO, schemas.EW:
		return b.lowerInside(c)
	case schemas.SW:
		if strings.HasPrefix(b.location, c.Value) {
			return nil, always
		}
	case schemas.GT, schemas.GE, schemas.LT, schemas.LE:
		if !behind || id == "" { // an ID is never empty, and sorts behind
			greater := strings.HasPrefix(b.location, c.Value) || b.location > c.Value
			return nil, verdictOf(greater == (c.Op == schemas.GT || c.Op == schemas.GE))
		}
	}
	if !behind || id == "" {
		return nil, never
	}
	return &schemas.Compare{Attr: idRef, Op: c.Op, Value: id}, open
}

// lowerInside: the value is found in the common part, in the ID, or across both.
func (b *compiler) lowerInside(c *schemas.Compare) (schemas.Node, verdict) {
	across := schemas.EQ
	if c.Op == schemas.CO {
		across = schemas.SW
		if strings.Contains(b.location, c.Value) {
			return nil, always
		}
	}
	terms := []schemas.Node{&schemas.Compare{Attr: idRef, Op: c.Op, Value: c.Value}}
	for n := 1; n < len(c.Value) && n <= len(b.location); n++ {
		if strings.HasSuffix(b.location, c.Value[:n]) {
			terms = append(terms, &schemas.Compare{Attr: idRef, Op: across, Value: c.Value[n:]})
		}
	}
	if len(terms) == 1 {
		return terms[0], open
	}
	return &schemas.Or{Terms: terms}, open
}
