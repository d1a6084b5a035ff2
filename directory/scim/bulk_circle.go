package scim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// A circle of new resources that refer to each other is made in two steps (RFC 7644,
// section 3.7.1): they are created, with the IDs that were given out before, and then
// its groups get those of them as members that are groups. Either the whole circle
// stands in the end or nothing of it.

// makeCircle makes the operations of a circle. An error is one of the whole transaction.
func (b *bulk) makeCircle(tx *sqldb.Tx, u unit, c *circle) error {
	failed, fault := -1, error(nil)
	err := tx.Try(func() error {
		failed, fault = b.tryCircle(tx, u, c)
		return fault
	})
	if err != nil && !isRefusal(err) {
		return err
	}
	if err == nil {
		return nil
	}
	for _, i := range u {
		b.ops[i].end(stored{}, b.circleError(u, i, failed, fault))
	}
	return nil
}

// circleError is what is told of an operation of a circle that could not be made. One
// that failed by itself has its own error; the others could not be resolved for it.
func (b *bulk) circleError(u unit, i, failed int, fault error) error {
	if i == failed {
		return fault
	}
	why := ""
	if failed >= 0 {
		why = fmt.Sprintf("operation %d has failed", failed+1)
	} else {
		_, _, why = describe(fault)
	}
	return unresolvable(fmt.Sprintf("the circular reference of the operations %s could not be resolved: %s", numbers(u), why))
}

func numbers(u unit) string {
	all := make([]string, len(u))
	for i, n := range u {
		all[i] = fmt.Sprint(n + 1)
	}
	return strings.Join(all, ", ")
}

// circle is what a circle needs in its transaction: its users, as one batch, and the
// others in the order in which they are made, groups last.
type circle struct {
	users  []int
	others []int
	create func(*sqldb.Tx) ([]directory.UserResult, error)
	broken error // why the users cannot be tried
}

// prepareCircle makes the operations of a circle ready for the transaction.
func (b *bulk) prepareCircle(u unit) *circle {
	c := &circle{}
	var batch []directory.UserToCreate
	for _, i := range u {
		op := b.ops[i]
		b.parse(op)
		switch {
		case op.broken != nil:
		case op.at.kind == b.kinds.users:
			c.users = append(c.users, i)
			batch = append(batch, op.newcomer())
		default:
			c.others = append(c.others, i)
			b.prepare(op)
		}
	}
	slices.SortStableFunc(c.others, func(i, j int) int { return b.rank(i) - b.rank(j) })
	c.create, c.broken = b.Directory.PrepareUsers(b.r.Context(), change(b.r), batch)
	return c
}

// rank brings groups, which want their members to be there, behind the others.
func (b *bulk) rank(i int) int {
	if b.ops[i].at.kind == b.kinds.groups {
		return 1
	}
	return 0
}

// tryCircle makes a circle and returns the operation that failed by itself, or -1.
func (b *bulk) tryCircle(tx *sqldb.Tx, u unit, c *circle) (failed int, err error) {
	groups := map[string]bool{}
	for _, i := range u {
		op := b.ops[i]
		if err := b.lackingOutside(op, u); err != nil {
			return i, err
		}
		if op.broken != nil {
			return i, op.broken
		}
		groups[op.newID] = op.at.kind == b.kinds.groups
	}
	if failed, err := b.createCrowd(tx, c); err != nil {
		return failed, err
	}
	later := make([][]string, len(c.others))
	for n, i := range c.others {
		op := b.ops[i]
		work := op.work
		if groups[op.newID] {
			if work, later[n], err = b.without(op, groups); err != nil {
				return i, err
			}
		}
		row, err := work(tx)
		if err != nil {
			return i, err
		}
		op.end(row, nil)
	}
	for n, i := range c.others {
		if len(later[n]) == 0 {
			continue
		}
		row, err := b.groupRow(b.Directory.AddMembersTx(tx, change(b.r), b.ops[i].newID, later[n]))
		if err != nil {
			return -1, err
		}
		b.ops[i].end(row, nil)
	}
	return -1, nil
}

// createCrowd creates the users of a circle.
func (b *bulk) createCrowd(tx *sqldb.Tx, c *circle) (failed int, err error) {
	if c.broken != nil {
		return -1, c.broken
	}
	results, err := c.create(tx)
	if err != nil {
		return -1, err
	}
	for n, i := range c.users {
		row, err := userRow(results[n].User, results[n].Err)
		if err != nil {
			return i, err
		}
		b.ops[i].end(row, nil)
	}
	return -1, nil
}

// lackingOutside is lacking, but for what the circle itself makes.
func (b *bulk) lackingOutside(op *bulkOperation, u unit) error {
	outside := *op
	outside.needs = slices.DeleteFunc(slices.Clone(op.needs), func(n int) bool { return slices.Contains(u, n) })
	return b.lacking(&outside)
}

// without creates a group without its members among groups, and returns those.
func (b *bulk) without(op *bulkOperation, groups map[string]bool) (work, []string, error) {
	res := op.content.res.Clone()
	var later []string
	res.Members = slices.DeleteFunc(res.Members, func(m schemas.Member) bool {
		if groups[m.Value] {
			later = append(later, m.Value)
		}
		return groups[m.Value]
	})
	do, err := op.at.add(b.r.Context(), b.operation(op), res)
	return do, later, err
}
