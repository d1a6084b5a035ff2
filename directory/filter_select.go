package directory

import (
	"context"

	"github.com/provost-id/provost/internal/sqldb"
)

// selection is a ListQuery as SQL: the conditions on the rows r, and their arguments.
// $1 is the client, as userColumns wants it.
type selection struct {
	where string
	args  []any
}

// selection compiles what a query selects. It may read through rd to choose the way.
func (d *Directory) selection(_ context.Context, _ sqldb.Reader, typ string, q ListQuery) (selection, error) {
	b := &compiler{dialect: d.DB.Dialect(), typ: typ, client: q.Client, base: q.Base, everyone: d.everyone.rid}
	b.arg(q.Client)
	where := "r.type = " + b.arg(typ)
	if q.Filter != nil && q.Filter.Root != nil {
		where += " AND " + b.where(q.Filter.Root, "r")
	}
	if q.Status != "" {
		where += " AND r.status = " + b.arg(q.Status)
		if q.Status != string(Active) {
			where += " AND r.status <> 'ACTIVE'" // the words of the partial index
		}
	}
	if q.NotStatus != "" {
		where += " AND r.status <> " + b.arg(q.NotStatus)
	}
	return selection{where: where, args: b.args}, b.err
}
