package directory

import (
	"context"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// selection is a ListQuery as SQL: the conditions on the rows r, and their arguments.
// $1 is the client, as userColumns wants it.
type selection struct {
	where string
	args  []any
	// unique says that one row satisfies it at most.
	unique bool
}

// selection compiles what a query selects. It may read through rd to choose the way,
// and to evaluate what no index answers.
func (d *Directory) selection(ctx context.Context, rd sqldb.Reader, typ string, q ListQuery) (selection, error) {
	t := d.typeNamed(typ)
	b := &compiler{
		dialect: d.DB.Dialect(), typ: typ, core: t.Core(), location: q.Base + t.Endpoint + "/",
		base: q.Base, client: q.Client, everyone: d.everyone.rid, seen: q.Bounds.groups(), limits: d.limits,
	}
	b.arg(q.Client)
	where, err := b.filter(ctx, rd, q.Filter)
	if err != nil {
		return selection{}, err
	}
	return selection{where: where + b.bound(q), args: b.args, unique: b.unique}, nil
}

// filter is the condition on the rows r that a filter stands for, of resources of the
// type.
func (b *compiler) filter(ctx context.Context, rd sqldb.Reader, f *schemas.Filter) (string, error) {
	if f == nil || f.Root == nil {
		return b.walk(), nil
	}
	n, v := b.lower(f.Root)
	if v != open {
		return b.walk(constant(v == always)), nil
	}
	if c, ok := n.(*schemas.Compare); ok && c.Op == schemas.EQ && (c.Attr.Where == schemas.InUserName || c.Attr.Where == schemas.InID) {
		b.unique = true
		return b.walk(b.compare("r."+hotColumns[c.Attr.Where], c)), nil
	}
	if err := b.measure(ctx, rd, n); err != nil {
		return "", err
	}
	if b.wantsFew(n) {
		if condition, err := b.few(ctx, rd, f, n); err != nil || condition != "" {
			return condition, err
		}
		b.forget(n)
	}
	set, conditions := b.split(n, "r")
	if set == "" {
		return b.walk(conditions...), nil
	}
	return b.found("r.rid IN ("+set+")", conditions...), nil
}

// walk is the condition of a query that looks at all rows of the type, and found of one
// that has a set of them.
func (b *compiler) walk(conditions ...string) string {
	return strings.Join(append([]string{"r.type = " + b.arg(b.typ)}, conditions...), " AND ")
}

func (b *compiler) found(set string, conditions ...string) string {
	return strings.Join(append([]string{set, b.ofType("r.type")}, conditions...), " AND ")
}

// wantsFew says that finding the candidates first may save the reading of whole
// attributes: there is something to find them by, and something that is not cheap to
// ask of each row; or finding them is itself so dear that it is done only once.
func (b *compiler) wantsFew(n schemas.Node) bool {
	if unindexed(n) != nil {
		return true
	}
	relaxed, exact := b.relax(n)
	if relaxed == nil || b.cost(relaxed) == costWalk {
		return false
	}
	return !exact || b.cost(relaxed) >= costPath
}
