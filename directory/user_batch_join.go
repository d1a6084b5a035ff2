package directory

import (
	"errors"
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// joined are the groups that newcomers join, in the order of their row numbers.
type joined struct {
	order   []string
	refused map[string]error // why nobody can join
}

// lockJoined locks the groups that newcomers join, before there are any people (see
// peopleTx), and finds out which of them can be joined.
func (d *Directory) lockJoined(tx *sqldb.Tx, c Change, people []newcomer) (*joined, error) {
	var ids []string
	for i := range people {
		ids = append(ids, people[i].groups...)
	}
	if len(ids) == 0 {
		return &joined{}, nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	j := &joined{refused: map[string]error{}}
	for part := range slices.Chunk(ids, lookUpMax) {
		args := make([]any, len(part))
		for i, id := range part {
			args[i] = id
		}
		rids, err := ints(tx.Query(`SELECT rid FROM resources WHERE id IN (`+list(1, len(args))+`) AND `+beside("type")+` = 'Group'`, args...))
		if err != nil {
			return nil, fmt.Errorf("find groups: %w", err)
		}
		if err := lockGroups(tx, rids); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		err := d.joinable(tx, c, id)
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrProtected) && !errors.Is(err, ErrOwned) {
			return nil, err
		}
		if j.refused[id] = err; err == nil {
			j.order = append(j.order, id)
		}
	}
	return j, nil
}

func (d *Directory) joinable(tx *sqldb.Tx, c Change, groupID string) error {
	g, err := d.lockGroupTx(tx, groupID, "")
	if err != nil {
		return err
	}
	if err := d.guardGroup(c, g, true); err != nil {
		return err
	}
	return d.checkGroupOwnedTx(tx, c, g)
}

// refusal is why a newcomer cannot join all of its groups.
func (j *joined) refusal(n *newcomer) error {
	for _, id := range n.groups {
		if err := j.refused[id]; err != nil {
			return fmt.Errorf("join group %s: %w", id, err)
		}
	}
	return nil
}

// joinGroups makes those who came in members of their groups, by one change for each group.
func (d *Directory) joinGroups(tx *sqldb.Tx, c Change, groups *joined, entries []*entry) error {
	for _, groupID := range groups.order {
		var ids []string
		for _, e := range entries {
			if slices.Contains(e.groups, groupID) {
				ids = append(ids, e.result.User.ID)
				e.result.User.GroupsChanged = d.now()
			}
		}
		if err := d.changeMembersTx(tx, c, groupID, schemas.MemberChange{Add: ids}); err != nil {
			return fmt.Errorf("join group %s: %w", groupID, err)
		}
	}
	return nil
}
