package scim

import (
	"errors"
	"slices"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
)

// crowd is how many units from the first on are new users that need no other of them.
func (b *bulk) crowd(units []unit, most int) int {
	n := 0
	for n < min(len(units), most) && b.isNewcomer(units[n]) {
		n++
	}
	return n
}

func (b *bulk) isNewcomer(u unit) bool {
	op := b.ops[u[0]]
	return len(u) == 1 && b.createsUser(op) && b.lacking(op) == nil &&
		!slices.ContainsFunc(op.needs, func(n int) bool { return !b.ops[n].done })
}

// createUsers creates users as one batch and returns how many units are done: not all
// when the errors that the client accepts are used up before the end.
func (b *bulk) createUsers(units []unit) int {
	ops := make([]*bulkOperation, len(units))
	for i, u := range units {
		ops[i] = b.ops[u[0]]
		b.parse(ops[i])
	}
	for len(ops) > 0 {
		cut, err := b.tryCrowd(ops)
		switch {
		case err == nil && cut == len(ops):
			return len(ops)
		case err == nil:
			ops = ops[:cut]
		default: // of nobody among them: it may meet each alone, or none
			for i := range ops {
				if b.full() {
					return i
				}
				b.makeChunk(units[i : i+1])
			}
			return len(ops)
		}
	}
	return 0
}

// errCut undoes a batch of which some should not have been tried.
var errCut = errors.New("errors are used up")

// tryCrowd creates users, all of ops or nobody: cut is how many of them should have
// been tried.
func (b *bulk) tryCrowd(ops []*bulkOperation) (cut int, err error) {
	var batch []directory.UserToCreate
	for _, op := range ops {
		if op.broken == nil {
			batch = append(batch, op.newcomer())
		}
	}
	do, err := b.Directory.PrepareUsers(b.r.Context(), change(b.r), batch)
	if err != nil {
		return 0, err
	}
	err = b.Directory.DB.Write(b.r.Context(), func(tx *sqldb.Tx) error {
		results, err := do(tx)
		if err != nil {
			return err
		}
		if cut = b.take(ops, results); cut < len(ops) {
			return errCut
		}
		return nil
	})
	if err != nil {
		reset(ops)
	}
	if errors.Is(err, errCut) {
		err = nil
	}
	return cut, err
}

// newcomer is the user that an operation creates.
func (op *bulkOperation) newcomer() directory.UserToCreate {
	return directory.UserToCreate{Resource: op.content.res, Options: directory.CreateOptions{Origin: &directory.Origin{ID: op.newID}}}
}

// take gives each operation its result, until the client accepts no more errors.
func (b *bulk) take(ops []*bulkOperation, results []directory.UserResult) int {
	reset(ops)
	for i, op := range ops {
		if b.full() {
			return i
		}
		if op.broken != nil {
			op.end(stored{}, op.broken)
			continue
		}
		op.end(userRow(results[0].User, results[0].Err))
		results = results[1:]
	}
	return len(ops)
}
