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

// compiler turns the nodes of one filter into SQL, after lower has simplified them.
// Every argument it makes is used in the text, since PostgreSQL refuses a parameter
// whose type it cannot tell.
type compiler struct {
	dialect  sqldb.Dialect
	typ      string
	core     string // the schema of the type
	location string // the URL that IDs of the type follow
	client   string
	base     string // of the URLs of resources
	everyone int64
	seen     []string // IDs of the groups that the caller sees, nil for all
	limits   filterLimits
	args     []any
	aliases  int
	unique   bool // one row satisfies the filter at most
	// sizes are the leaves whose rows have been counted; see measure.
	sizes map[schemas.Node]cost
	// held are the leaves that have been evaluated on documents: the rows they hold of.
	held map[schemas.Node][]int64
}

// fresh is the compiler of another statement for the same filter.
func (b *compiler) fresh() *compiler {
	c := *b
	c.args, c.aliases = nil, 0
	return &c
}

func (b *compiler) arg(v any) string {
	b.args = append(b.args, v)
	return "$" + strconv.Itoa(len(b.args))
}

func (b *compiler) alias(prefix string) string {
	b.aliases++
	return prefix + strconv.Itoa(b.aliases)
}

// where is the condition on the row called r that a filter stands for.
func (b *compiler) where(root schemas.Node, r string) string {
	set, conditions := b.split(root, r)
	if set != "" {
		conditions = append([]string{r + ".rid IN (" + set + ")"}, conditions...)
	}
	return strings.Join(conditions, " AND ")
}

// split is the set of the driver, empty without one, and the conditions beside it.
func (b *compiler) split(root schemas.Node, r string) (set string, conditions []string) {
	terms := []schemas.Node{root}
	if and, ok := root.(*schemas.And); ok {
		terms = and.Terms
	}
	driver := b.driver(terms)
	if driver >= 0 {
		set = b.set(terms[driver])
	}
	for i, t := range terms {
		if i != driver {
			conditions = append(conditions, b.probe(t, r, false))
		}
	}
	return set, conditions
}

// ofType is the condition that a row is of the type, beside one that finds it. The plus
// keeps SQLite from finding it by the type: without statistics, that one in ten rows is
// of a type is its guess.
func (b *compiler) ofType(column string) string {
	if b.dialect == sqldb.SQLite {
		column = "+" + column
	}
	return column + " = " + b.arg(b.typ)
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
		return "SELECT " + r + ".rid FROM resources " + r + " WHERE " + b.ofType(r+".type") + " AND " + b.where(n, r)
	case *schemas.ValuePath:
		if !inIndex(n.Attr) {
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
	case schemas.InIndex, schemas.InSchemas:
		return "SELECT rid FROM attribute_values WHERE path = " + b.arg(n.Attr.Path) + b.and("val", n)
	case schemas.InActive: // the words of the partial index
		return "SELECT rid FROM resources WHERE type = " + b.arg(b.typ) + " AND active = FALSE"
	case schemas.InID: // its index has no type, and whoever takes the set asks for it
		return "SELECT rid FROM resources WHERE " + b.compare("id", n)
	}
	return "SELECT rid FROM resources WHERE type = " + b.arg(b.typ) + " AND " + b.compare(hotColumns[n.Attr.Where], n)
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
	schemas.InStatus: "status", schemas.InStatusChanged: "status_changed", schemas.InActivated: "activated", schemas.InMembersChanged: "members_changed",
}

func isNullable(w schemas.Where) bool {
	switch w {
	case schemas.InUserName, schemas.InDisplayName, schemas.InFamilyName, schemas.InGivenName, schemas.InActivated:
		return true
	}
	return false
}

// inIndex says that the values of an attribute are rows of attribute_values.
func inIndex(a *schemas.AttrRef) bool {
	return a.Where == schemas.InIndex || a.Where == schemas.InSchemas
}

// compare is "column op value" for any operator but NE, which is the complement of EQ.
func (b *compiler) compare(column string, n *schemas.Compare) string {
	if n.Op == schemas.PR {
		return column + " IS NOT NULL"
	}
	switch n.Attr.Where {
	case schemas.InCreated, schemas.InModified, schemas.InStatusChanged, schemas.InActivated, schemas.InMembersChanged:
		return column + " " + sqlOperators[n.Op] + " " + b.arg(n.Micros)
	case schemas.InVersion:
		if n.Op == schemas.EQ {
			return column + " = " + b.arg(n.Micros)
		}
		return b.compareText(b.versionText(column), n)
	case schemas.InActive:
		return column + " = " + b.arg(n.Value == "true")
	}
	return b.compareText(column, n)
}

// versionText is meta.version as a client sees it. All other text compares by bytes
// because its column does (COLLATE "C").
func (b *compiler) versionText(column string) string {
	text := `('W/"' || ` + column + ` || '"')`
	if b.dialect == sqldb.PostgreSQL {
		text += ` COLLATE "C"`
	}
	return text
}

func (b *compiler) compareText(column string, n *schemas.Compare) string {
	switch n.Op {
	case schemas.SW:
		from := column + " >= " + b.arg(n.Value)
		if end, ok := afterPrefix(n.Value); ok {
			from += " AND " + column + " < " + b.arg(end)
		}
		return from
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
	return column + " " + sqlOperators[n.Op] + " " + b.arg(n.Value)
}

// lastRune sorts after every other character that text can hold.
const lastRune = "\U0010FFFF"

// afterPrefix is the first text after all that begin with prefix: its last character
// that can be is raised by one, and what follows is dropped. It is false when text of
// any kind comes before.
func afterPrefix(prefix string) (string, bool) {
	runes := []rune(strings.TrimRight(prefix, lastRune))
	if len(runes) == 0 {
		return "", false
	}
	last := &runes[len(runes)-1]
	if *last++; *last == 0xD800 { // surrogates are no characters
		*last = 0xE000
	}
	return string(runes), true
}

var sqlOperators = map[schemas.Op]string{
	schemas.EQ: "=", schemas.GT: ">", schemas.GE: ">=", schemas.LT: "<", schemas.LE: "<=",
}
