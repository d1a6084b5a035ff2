package scim

import (
	"net/http"
	"slices"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// lock locks what the operations of a chunk touch, in the order that everybody keeps:
// one after the other they would lock it in theirs, and two chunks could wait for each
// other.
func (b *bulk) lock(tx *sqldb.Tx, ops []*bulkOperation) error {
	if len(ops) < 2 {
		return nil
	}
	var t directory.Touched
	for _, op := range ops {
		if op.broken != nil {
			continue
		}
		members := op.content.memberIDs()
		t.IDs = append(t.IDs, members...)
		switch {
		case op.method == http.MethodPost:
		case op.method == http.MethodDelete && op.at.kind == b.kinds.users:
			t.Deleted = append(t.Deleted, op.id)
		default:
			t.IDs = append(t.IDs, op.id)
		}
		whole := op.method == http.MethodPut || op.method == http.MethodDelete
		t.Nesting = t.Nesting || op.at.kind == b.kinds.groups && whole || slices.ContainsFunc(members, directory.IsGroupID)
	}
	return b.Directory.LockTx(tx, t)
}

// memberIDs are the members that a change of a group names.
func (c content) memberIDs() []string {
	var ids []string
	if c.res != nil {
		for _, m := range c.res.Members {
			ids = append(ids, m.Value)
		}
		return ids
	}
	_, m, err := schemas.SplitMembers(c.ops)
	if err != nil {
		return nil // the operation meets it again
	}
	for step := &m; step != nil; step = step.Then {
		ids = slices.Concat(ids, step.Set, step.Add, step.Remove)
	}
	return ids
}
