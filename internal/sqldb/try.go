package sqldb

import "errors"

// Try runs fn so that, when it fails, its own changes are undone and the transaction
// goes on: one row of many may fail by itself. It returns the error of fn. Whoever goes
// on must know the error for one of its own; any other ends the transaction by being
// returned, as always.
func (tx *Tx) Try(fn func() error) error {
	if _, err := tx.Exec("SAVEPOINT try"); err != nil {
		return err
	}
	hooks := len(tx.after)
	err := fn()
	if err == nil && tx.failed == nil {
		_, err = tx.Exec("RELEASE try")
		return err
	}
	if err == nil {
		err = tx.failed // of a statement that fn took no notice of
	}
	return errors.Join(err, tx.undo(hooks))
}

// undo goes back to the savepoint of Try. Nothing brings back a transaction that is
// lost or has used up its time.
func (tx *Tx) undo(hooks int) error {
	if errors.Is(tx.failed, errLost) || errors.Is(tx.failed, ErrBudget) || tx.db.lost() {
		return nil
	}
	tx.failed, tx.after = nil, tx.after[:hooks]
	for _, query := range []string{"ROLLBACK TO try", "RELEASE try"} {
		if _, err := tx.Exec(query); err != nil {
			return err
		}
	}
	return nil
}
