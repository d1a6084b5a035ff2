package directory

import (
	"errors"
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// lockRuleGroups locks the groups that a change of a profile will make the user come
// into or leave, before the user itself is locked: groups before people is the order
// that everybody keeps (see peopleTx). It applies the change to the user as it is seen
// now; a user that is another by the time of its lock may lead to other groups, which
// are locked late then. A change that fails is left to fail where it is made.
func (d *Directory) lockRuleGroups(tx *sqldb.Tx, userID string, change func(*schemas.Resource) (*schemas.Resource, error)) error {
	if tx.ForUpdate() == "" {
		return nil
	}
	var any bool
	if err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM group_rules WHERE status = 'ACTIVE')`).Scan(&any); err != nil || !any {
		return err
	}
	u, err := d.UserTx(tx, userID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	was, err := d.stored(u)
	if err != nil {
		return err
	}
	next, err := change(was)
	if err != nil {
		return nil // changeUserTx meets it again
	}
	rules, err := d.activeRules(tx.Query, schemas.ChangedProfile(was, next), false)
	if err != nil || len(rules) == 0 {
		return err
	}
	p, err := d.planRules(tx.Context(), tx.Query, rules, []subject{{person: person{rid: u.RID, id: u.ID}, profile: next.Profile()}})
	if err != nil {
		return err
	}
	return lockGroups(tx, p.groups())
}

// lockGroups locks groups by row number, in the order that everybody keeps.
func lockGroups(tx *sqldb.Tx, rids []int64) error {
	if tx.ForUpdate() == "" || len(rids) == 0 {
		return nil
	}
	args := make([]any, len(rids))
	for i, rid := range slices.Sorted(slices.Values(rids)) {
		args[i] = rid
	}
	_, err := ints(tx.Query(`SELECT rid FROM resources WHERE rid IN (`+list(1, len(args))+`) ORDER BY rid`+tx.ForUpdate(), args...))
	if err != nil {
		return fmt.Errorf("lock groups: %w", err)
	}
	return nil
}
