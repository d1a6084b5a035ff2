package directory

import (
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// memberFilter is a value filter on the members of one group as SQL.
type memberFilter struct {
	where string // conditions on the resource x of the member
	args  []any
}

// filterMembers compiles a value filter, nil for all, for members of a kind. $1 is left
// to the group. base is that of the service that made the $ref of members; seen are the
// groups that the caller sees, nil for all.
func (d *Directory) filterMembers(f schemas.Node, k relationKind, base string, seen []string) (memberFilter, error) {
	if f == nil {
		return memberFilter{where: "TRUE"}, nil
	}
	b := &compiler{dialect: d.DB.Dialect(), everyone: d.everyone.rid, base: base, seen: seen}
	b.arg(nil)
	where := b.relation(f, k)
	return memberFilter{where: where, args: b.args[1:]}, nil
}

// membersWhere finds the people in a group who satisfy a value filter.
func (d *Directory) membersWhere(tx *sqldb.Tx, c Change, g *Group, f schemas.Node) ([]person, error) {
	filter, err := d.filterMembers(f, memberUser, c.Base, c.Bounds.groups())
	if err != nil {
		return nil, err
	}
	return readPeople(tx.Query(`SELECT x.rid, x.id FROM members m JOIN resources x ON x.rid = m.member_rid
		WHERE m.group_rid = $1 AND `+filter.where, append([]any{g.RID}, filter.args...)...))
}

// nestedWhere finds the groups in a group that satisfy a value filter.
func (d *Directory) nestedWhere(tx *sqldb.Tx, c Change, g *Group, f schemas.Node) ([]string, error) {
	filter, err := d.filterMembers(f, memberNested, c.Base, c.Bounds.groups())
	if err != nil {
		return nil, err
	}
	return column[string](tx.Query(`SELECT x.id FROM nested_groups m JOIN resources x ON x.rid = m.member_rid
		WHERE m.group_rid = $1 AND `+filter.where, append([]any{g.RID}, filter.args...)...))
}
