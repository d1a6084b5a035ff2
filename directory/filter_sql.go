package directory

import (
	"strconv"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// A filter becomes SQL as algebra on sets of row numbers. Of the terms of an "and",
// the most selective is the driver, a subquery that yields row numbers from an index;
// the others are conditions that probe the rows it finds. An "or" whose terms are all
// sets is their UNION: written as OR, PostgreSQL would read every row.

// cost ranks the ways to find the rows of a node.
type cost int

const (
	costEqual cost = iota // one value of an index
	costRange             // a range of an index
	costMany              // one value of an index that a large part of all rows has
	costPath              // all values of one attribute
	costWalk              // no set: every row of the type is looked at
)

// compiler turns the nodes of one filter into SQL. Every argument it makes is used in
// the text, since PostgreSQL refuses a parameter whose type it cannot tell.
type compiler struct {
	dialect  sqldb.Dialect
	typ      string
	client   string
	base     string // of the URLs of resources
	everyone int64
	args     []any
	aliases  int
	err      error
}

func (b *compiler) arg(v any) string {
	if s, ok := v.(string); ok && strings.IndexByte(s, 0) >= 0 {
		b.err = &schemas.Error{ScimType: schemas.InvalidFilter, Reason: "a value holds the character U+0000"}
	}
	b.args = append(b.args, v)
	return "$" + strconv.Itoa(len(b.args))
}

func (b *compiler) alias(prefix string) string {
	b.aliases++
	return prefix + strconv.Itoa(b.aliases)
}

// where is the condition on the row called r that a filter stands for.
func (b *compiler) where(root schemas.Node, r string) string {
	terms := []schemas.Node{root}
	if and, ok := root.(*schemas.And); ok {
		terms = and.Terms
	}
	driver, best := -1, costWalk
	for i, t := range terms {
		if c := costOf(t); c < best {
			driver, best = i, c
		}
	}
	conditions := make([]string, 0, len(terms))
	if driver >= 0 {
		conditions = append(conditions, r+".rid IN ("+b.set(terms[driver])+")")
	}
	for i, t := range terms {
		if i != driver {
			conditions = append(conditions, b.probe(t, r, false))
		}
	}
	return strings.Join(conditions, " AND ")
}

func costOf(n schemas.Node) cost {
	switch n := n.(type) {
	case *schemas.And:
		best := costWalk
		for _, t := range n.Terms {
			best = min(best, costOf(t))
		}
		return best
	case *schemas.Or:
		worst := costEqual
		for _, t := range n.Terms {
			worst = max(worst, costOf(t))
		}
		return worst
	case *schemas.ValuePath:
		if n.Attr.Where != schemas.InIndex {
			return relationCost(n.Node)
		}
		return min(costOf(n.Node), costPath)
	case *schemas.Compare:
		return compareCost(n)
	}
	return costWalk
}

func compareCost(n *schemas.Compare) cost {
	switch n.Attr.Where {
	case schemas.InVersion, schemas.InResourceType:
		return costWalk
	case schemas.InMembers, schemas.InGroups:
		return relationCost(n)
	case schemas.InActive:
		if n.Op == schemas.EQ && n.Value == "false" {
			return costRange
		}
		return costWalk
	}
	switch n.Op {
	case schemas.EQ:
		if n.Attr.Type == schemas.Boolean || strings.HasSuffix(n.Attr.Path, ".type") {
			return costMany
		}
		return costEqual
	case schemas.SW, schemas.GT, schemas.GE, schemas.LT, schemas.LE:
		return costRange
	case schemas.CO, schemas.EW:
		return costPath
	case schemas.PR:
		if n.Attr.Where == schemas.InIndex {
			return costPath
		}
	}
	return costWalk
}

// set is a SELECT of the row numbers that satisfy a node of less than costWalk.
func (b *compiler) set(n schemas.Node) string {
	switch n := n.(type) {
	case *schemas.Or:
		sets := make([]string, len(n.Terms))
		for i, t := range n.Terms {
			sets[i] = b.set(t)
		}
		return strings.Join(sets, " UNION ")
	case *schemas.And:
		r := b.alias("r")
		return "SELECT " + r + ".rid FROM resources " + r + " WHERE " + r + ".type = " + b.arg(b.typ) + " AND " + b.where(n, r)
	case *schemas.ValuePath:
		if n.Attr.Where != schemas.InIndex {
			return b.relationSet(n.Attr.Where, n.Node)
		}
		e := b.alias("e")
		return "SELECT " + e + ".rid FROM (" + b.elements(n.Attr, n.Node) + ") " + e
	}
	return b.compareSet(n.(*schemas.Compare))
}

func (b *compiler) compareSet(n *schemas.Compare) string {
	switch n.Attr.Where {
	case schemas.InMembers, schemas.InGroups:
		return b.relationSet(n.Attr.Where, n)
	case schemas.InExternalID:
		return "SELECT rid FROM external_ids WHERE client = " + b.arg(b.client) + b.and("value", n)
	case schemas.InIndex:
		return "SELECT rid FROM attribute_values WHERE path = " + b.arg(n.Attr.Path) + b.and("val", n)
	case schemas.InActive: // the words of the partial index
		return "SELECT rid FROM resources WHERE type = " + b.arg(b.typ) + " AND active = FALSE"
	}
	column := hotColumns[n.Attr.Where]
	set := "SELECT rid FROM resources WHERE " + b.compare(column, n) + " AND type = " + b.arg(b.typ)
	if isNullable(n.Attr.Where) {
		set += " AND " + column + " IS NOT NULL" // the words of the partial index
	}
	return set
}

func (b *compiler) and(column string, n *schemas.Compare) string {
	if n.Op == schemas.PR {
		return ""
	}
	return " AND " + b.compare(column, n)
}

var hotColumns = map[schemas.Where]string{
	schemas.InActive: "active", schemas.InUserName: "user_name", schemas.InDisplayName: "display_name",
	schemas.InFamilyName: "family_name", schemas.InGivenName: "given_name", schemas.InID: "id",
	schemas.InCreated: "created", schemas.InModified: "modified", schemas.InVersion: "version",
}

func isNullable(w schemas.Where) bool {
	return w == schemas.InUserName || w == schemas.InDisplayName || w == schemas.InFamilyName || w == schemas.InGivenName
}

// compare is "column op value" for any operator but NE, which is the complement of EQ.
func (b *compiler) compare(column string, n *schemas.Compare) string {
	var v any = n.Value
	switch n.Attr.Where {
	case schemas.InCreated, schemas.InModified, schemas.InVersion:
		v = n.Micros
	case schemas.InActive:
		v = n.Value == "true"
	}
	switch n.Op {
	case schemas.PR:
		return column + " IS NOT NULL"
	case schemas.SW: // everything that begins so sorts before it with the last character after it
		return column + " >= " + b.arg(n.Value) + " AND " + column + " < " + b.arg(n.Value+lastRune)
	case schemas.CO:
		if b.dialect == sqldb.PostgreSQL {
			return "strpos(" + column + ", " + b.arg(n.Value) + ") > 0"
		}
		return "instr(" + column + ", " + b.arg(n.Value) + ") > 0"
	case schemas.EW:
		p := b.arg(n.Value)
		if b.dialect == sqldb.PostgreSQL {
			return "right(" + column + ", length(" + p + "::text)) = " + p
		}
		return "substr(" + column + ", -length(" + p + ")) = " + p
	}
	return column + " " + sqlOperators[n.Op] + " " + b.arg(v)
}

// lastRune sorts after every character that text can hold.
const lastRune = "\U0010FFFF"

var sqlOperators = map[schemas.Op]string{
	schemas.EQ: "=", schemas.GT: ">", schemas.GE: ">=", schemas.LT: "<", schemas.LE: "<=",
}
