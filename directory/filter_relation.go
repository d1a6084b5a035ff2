package directory

import (
	"strconv"
	"strings"

	"github.com/provost-id/provost/schemas"
)

// Members of a group and groups of a user are rows: a filter on them is a condition on
// the resource x at the other end. Everyone is in nobody's groups over SCIM, so it is
// no match either.

func relationCost(n schemas.Node) cost {
	switch n := n.(type) {
	case *schemas.And:
		best := costWalk
		for _, t := range n.Terms {
			best = min(best, relationCost(t))
		}
		return best
	case *schemas.Compare:
		if n.Op == schemas.EQ && n.Attr.Sub != "type" {
			return costEqual
		}
	}
	return costWalk
}

// relationSet selects the rows whose relation leads to a resource that satisfies n.
func (b *compiler) relationSet(w schemas.Where, n schemas.Node) string {
	this, other := ends(w)
	return "SELECT m." + this + " FROM members m JOIN resources x ON x.rid = m." + other +
		" WHERE " + b.notEveryone() + " AND " + b.relation(n)
}

func (b *compiler) relationProbe(w schemas.Where, n schemas.Node, r string) string {
	this, other := ends(w)
	return "EXISTS (SELECT 1 FROM members m JOIN resources x ON x.rid = m." + other +
		" WHERE m." + this + " = " + r + ".rid AND " + b.notEveryone() + " AND " + b.relation(n) + ")"
}

// ends are the columns of this end and of the other.
func ends(w schemas.Where) (this, other string) {
	if w == schemas.InMembers {
		return "group_rid", "member_rid"
	}
	return "member_rid", "group_rid"
}

// notEveryone is a literal: the group never changes, and the plus keeps the planner
// from starting there.
func (b *compiler) notEveryone() string {
	return "+m.group_rid <> " + strconv.FormatInt(b.everyone, 10)
}

func (b *compiler) relation(n schemas.Node) string {
	switch n := n.(type) {
	case *schemas.And:
		return b.relations(n.Terms, " AND ")
	case *schemas.Or:
		return b.relations(n.Terms, " OR ")
	case *schemas.Not:
		return "NOT " + b.relation(n.Term)
	}
	c := *n.(*schemas.Compare)
	if c.Op == schemas.NE {
		c.Op = schemas.EQ
		return "NOT " + b.relation(&c)
	}
	switch {
	case c.Op == schemas.PR:
		return "TRUE" // id, display and type are always there
	case c.Attr.Sub == "type": // members are users
		return constant(holds(c.Op, "user", c.Value))
	case c.Attr.Sub == "display":
		return "(" + b.compare("x.display_name", &c) + ")" // every group has one
	}
	return "(" + b.compare("x.id", &c) + ")"
}

func (b *compiler) relations(terms []schemas.Node, op string) string {
	all := make([]string, len(terms))
	for i, t := range terms {
		all[i] = b.relation(t)
	}
	return "(" + strings.Join(all, op) + ")"
}

// holds compares two strings in memory.
func holds(op schemas.Op, have, want string) bool {
	switch op {
	case schemas.EQ:
		return have == want
	case schemas.CO:
		return strings.Contains(have, want)
	case schemas.SW:
		return strings.HasPrefix(have, want)
	case schemas.EW:
		return strings.HasSuffix(have, want)
	case schemas.GT:
		return have > want
	case schemas.GE:
		return have >= want
	case schemas.LT:
		return have < want
	case schemas.LE:
		return have <= want
	}
	return true
}
