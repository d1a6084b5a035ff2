package directory

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/provost-id/provost/schemas"
)

// Members of a group and groups of a user are rows: a filter on them is a condition on
// the resource x at the other end, and on the kind of the relation, which is known
// before: a member is a User or a Group, and a user is in a group directly or, because
// the group holds another one that the user is in, indirectly. Everyone is in nobody's
// groups over SCIM, so it is no match either.

// relationKind is a kind of relation, as its type is folded, and the path of a $ref in it.
type relationKind struct{ typ, path string }

var (
	memberUser    = relationKind{"user", "/Users/"}
	memberNested  = relationKind{"group", "/Groups/"}
	groupDirect   = relationKind{"direct", "/Groups/"}
	groupIndirect = relationKind{"indirect", "/Groups/"}
)

func relationCost(n schemas.Node) cost {
	switch n := n.(type) {
	case *schemas.And:
		best := costWalk
		for _, t := range n.Terms {
			best = min(best, relationCost(t))
		}
		return best
	case *schemas.Compare:
		if n.Op != schemas.EQ || n.Attr.Sub == "type" {
			return costWalk
		}
		if n.Attr.Where == schemas.InGroups {
			return costMany // everybody may be in one group
		}
		return costEqual
	}
	return costWalk
}

// relationSet selects the rows whose relation leads to a resource that satisfies n.
func (b *compiler) relationSet(w schemas.Where, n schemas.Node) string {
	if w == schemas.InMembers {
		return "SELECT m.group_rid FROM members m JOIN resources x ON x.rid = m.member_rid WHERE " + b.notEveryone() + " AND " + b.relation(n, memberUser) +
			" UNION SELECT m.group_rid FROM nested_groups m JOIN resources x ON x.rid = m.member_rid WHERE " + b.relation(n, memberNested)
	}
	return "SELECT m.member_rid FROM members m JOIN resources x ON x.rid = m.group_rid WHERE x.type = 'Group' AND " + b.notEveryone() + b.seenGroup() +
		" AND " + b.relation(n, groupDirect) + " UNION " + b.indirect(n)
}

func (b *compiler) relationProbe(w schemas.Where, n schemas.Node, r string) string {
	if w == schemas.InMembers {
		return "(EXISTS (SELECT 1 FROM members m JOIN resources x ON x.rid = m.member_rid WHERE m.group_rid = " + r + ".rid AND " +
			b.notEveryone() + " AND " + b.relation(n, memberUser) + ") OR EXISTS (SELECT 1 FROM nested_groups m JOIN resources x ON x.rid = m.member_rid" +
			" WHERE m.group_rid = " + r + ".rid AND " + b.relation(n, memberNested) + "))"
	}
	return "(EXISTS (SELECT 1 FROM members m JOIN resources x ON x.rid = m.group_rid WHERE m.member_rid = " + r + ".rid AND x.type = 'Group' AND " +
		b.notEveryone() + b.seenGroup() + " AND " + b.relation(n, groupDirect) + ") OR +" + r + ".rid IN (" + b.indirect(n) + "))"
}

// indirect selects the users who are indirectly in a group that satisfies n: the
// members of the groups that can be reached down from it. Whoever is in a group both
// ways is in it directly, which matters only if n asks for the type. CROSS JOIN keeps
// SQLite from reading all members first (https://sqlite.org/lang_select.html#crossjoin).
func (b *compiler) indirect(n schemas.Node) string {
	but := ""
	if asksForType(n) {
		but = " AND NOT EXISTS (SELECT 1 FROM members d WHERE d.group_rid = k.top AND d.member_rid = m.member_rid)"
	}
	return "SELECT m.member_rid FROM (WITH RECURSIVE down (top, rid) AS (" +
		"SELECT x.rid, n.member_rid FROM nested_groups n JOIN resources x ON x.rid = n.group_rid WHERE x.type = 'Group'" + b.seenGroup() + " AND " + b.relation(n, groupIndirect) +
		" UNION SELECT down.top, n.member_rid FROM down JOIN nested_groups n ON n.group_rid = down.rid" +
		") SELECT top, rid FROM down) k CROSS JOIN members m WHERE m.group_rid = k.rid" + but
}

func asksForType(n schemas.Node) bool {
	switch n := n.(type) {
	case *schemas.And:
		return anyAsks(n.Terms)
	case *schemas.Or:
		return anyAsks(n.Terms)
	case *schemas.Not:
		return asksForType(n.Term)
	}
	return n.(*schemas.Compare).Attr.Sub == "type"
}

func anyAsks(terms []schemas.Node) bool {
	for _, t := range terms {
		if asksForType(t) {
			return true
		}
	}
	return false
}

// seenGroup leaves the groups out that the caller does not see.
func (b *compiler) seenGroup() string {
	if b.seen == nil {
		return ""
	}
	return " AND x.id IN (" + b.argList(b.seen) + ")"
}

func (b *compiler) argList(values []string) string {
	parameters := make([]string, len(values))
	for i, v := range values {
		parameters[i] = b.arg(v)
	}
	return strings.Join(parameters, ", ")
}

// notEveryone is a literal: the group never changes, and the plus keeps the planner
// from starting there.
func (b *compiler) notEveryone() string {
	return "+m.group_rid <> " + strconv.FormatInt(b.everyone, 10)
}

// relation is a node as a condition on the resource x at the other end.
func (b *compiler) relation(n schemas.Node, k relationKind) string {
	switch n := n.(type) {
	case *schemas.And:
		return b.relations(n.Terms, k, " AND ")
	case *schemas.Or:
		return b.relations(n.Terms, k, " OR ")
	case *schemas.Not:
		return "NOT " + b.relation(n.Term, k)
	}
	c := *n.(*schemas.Compare)
	if c.Op == schemas.NE {
		c.Op = schemas.EQ
		return "NOT " + b.relation(&c, k)
	}
	switch {
	case c.Op == schemas.PR:
		return "TRUE" // value, $ref, display and type are always there
	case c.Attr.Sub == "type":
		return constant(holds(c.Op, k.typ, c.Value))
	case c.Attr.Sub == "display":
		return b.display(c, k)
	case c.Attr.Sub == "$ref":
		return b.reference(c, k)
	}
	return "(" + b.compare("x.id", &c) + ")"
}

func (b *compiler) relations(terms []schemas.Node, k relationKind, op string) string {
	all := make([]string, len(terms))
	for i, t := range terms {
		all[i] = b.relation(t, k)
	}
	return "(" + strings.Join(all, op) + ")"
}

// display compares with the name under which a resource is shown: of somebody without
// one, the login.
func (b *compiler) display(c schemas.Compare, k relationKind) string {
	if k != memberUser { // every group has one
		return "((" + b.compare("x.display_name", &c) + ")" + b.seenGroup() + ")"
	}
	name := "(" + b.compare("x.display_name", &c) + ")"
	c.Value = schemas.FoldLogin(c.Value)
	return "COALESCE(" + name + " OR x.display_name IS NULL AND (" + b.compare("x.user_name", &c) + "), FALSE)"
}

// versionEnd is what tells the versions of the protocol apart at the end of a base URL.
var versionEnd = regexp.MustCompile(`/v[0-9]+$`)

// referenced is the ID in the URL of a resource, which is the same resource with another
// version of the protocol or with none (RFC 7643, section 2.4).
func (b *compiler) referenced(url string, k relationKind) (id string, ok bool) {
	if !strings.Contains(url, "://") { // relative to the base (section 2.3.7)
		url = b.base + "/" + strings.TrimLeft(url, "./")
	}
	at := strings.LastIndex(url, k.path)
	if at < 0 || versionEnd.ReplaceAllString(url[:at], "") != versionEnd.ReplaceAllString(b.base, "") {
		return "", false
	}
	return url[at+len(k.path):], true
}

// reference compares with the URL of a resource. One that is equal names its ID.
func (b *compiler) reference(c schemas.Compare, k relationKind) string {
	if c.Op == schemas.EQ {
		id, ok := b.referenced(c.Value, k)
		if !ok {
			return "FALSE"
		}
		c.Value = id
		return "(" + b.compare("x.id", &c) + ")"
	}
	return "(" + b.compare("("+b.text(b.base+k.path)+" || x.id)", &c) + ")"
}

// text is an argument whose type PostgreSQL could not tell.
func (b *compiler) text(s string) string { return "CAST(" + b.arg(s) + " AS TEXT)" }

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
