package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
)

// takeRecords deals with a batch of the first pass.
func (im *importer) takeRecords(ctx context.Context, b *batch) error {
	if err := im.plan(ctx, b.items); err != nil {
		return err
	}
	users, err := im.prepareUsers(ctx, b.items)
	if err != nil {
		return err
	}
	var outcomes []outcome
	to := run{id: im.run.id, pass: 1, done: b.last}
	var rejects []reject
	settle := func(tx *sqldb.Tx) error {
		to.Counts = im.run.Counts
		refs := im.tally(&to.Counts, b.items, outcomes)
		rejects = rejectsOf(b.items, outcomes)
		if err := im.run.insertRefs(tx, refs); err != nil {
			return err
		}
		if err := im.run.insertRejects(tx, 1, rejects); err != nil {
			return err
		}
		return im.run.advance(tx, to, im.dir.Now())
	}
	err = im.write(ctx, settle, func(tx *sqldb.Tx) error {
		outcomes, err = im.carryOut(tx, b.items, users)
		return err
	})
	if err != nil {
		return err
	}
	*im.run = to
	return im.writeRejects(b.items, rejects)
}

// errDry undoes what a dry run has tried.
var errDry = errors.New("dry run")

// write carries a batch out and settles it in one transaction. A dry run undoes the one
// and settles in its scratch.
func (im *importer) write(ctx context.Context, settle, carryOut func(tx *sqldb.Tx) error) error {
	err := im.dir.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := carryOut(tx); err != nil {
			return err
		}
		if im.o.DryRun {
			return errDry
		}
		return settle(tx)
	})
	if errors.Is(err, errDry) {
		return im.store.Write(ctx, settle)
	}
	return err
}

// prepareUsers hashes and derives outside the transaction what creates the new users.
func (im *importer) prepareUsers(ctx context.Context, items []*item) (func(*sqldb.Tx) ([]directory.UserResult, error), error) {
	var batch []directory.UserToCreate
	for _, it := range items {
		if !it.isNewUser() {
			continue
		}
		if im.o.DryRun {
			err := im.dir.AcceptPassword(ctx, it.res)
			if reason, ok := refusal(err); ok {
				it.fault = errors.New(reason)
				continue
			} else if err != nil {
				return nil, err
			}
			it.res.Password = ""
		}
		batch = append(batch, directory.UserToCreate{Resource: it.res, Options: it.opts})
	}
	return im.dir.PrepareUsers(ctx, im.change, batch)
}

func (it *item) isNewUser() bool {
	return it.fault == nil && it.typ != nil && it.typ.Name == "User" && it.id == ""
}

// carryOut creates and changes. It may run twice, and leaves the items as they are.
func (im *importer) carryOut(tx *sqldb.Tx, items []*item, users func(*sqldb.Tx) ([]directory.UserResult, error)) ([]outcome, error) {
	outcomes := make([]outcome, len(items))
	created, err := users(tx)
	if err != nil {
		return nil, err
	}
	for i, it := range items {
		switch {
		case it.fault != nil:
			outcomes[i].reason = it.fault.Error()
		case it.isNewUser():
			err := created[0].Err
			if err == nil {
				outcomes[i].id = created[0].User.ID
			}
			created = created[1:]
			if outcomes[i].reason, err = orFatal(err); err != nil {
				return nil, err
			}
		case it.do != nil:
			err := tx.Try(func() error {
				var err error
				outcomes[i].id, err = it.do(tx)
				return err
			})
			if outcomes[i].reason, err = orFatal(err); err != nil {
				return nil, err
			}
		default:
			outcomes[i].id = it.id
		}
	}
	return outcomes, nil
}

// orFatal is the reason for which a record is rejected, or the error that ends all.
func orFatal(err error) (string, error) {
	if err == nil {
		return "", nil
	}
	if reason, ok := refusal(err); ok {
		return reason, nil
	}
	return "", err
}

// tally counts outcomes and gathers what is to be remembered.
func (im *importer) tally(c *Counts, items []*item, outcomes []outcome) map[string]string {
	refs := map[string]string{}
	for i, it := range items {
		c.Records++
		id := outcomes[i].id
		switch {
		case outcomes[i].reason != "":
			c.Rejected++
			continue
		case it.typ == nil && it.refs:
			c.Records--
		case it.typ == nil || it.skip:
			c.Skipped++
		case it.id == "":
			c.Created++
		case it.same:
			c.Unchanged++
		default:
			c.Updated++
		}
		if it.deferred {
			c.Deferred++
		}
		if it.deferred && id != "" {
			refs[numberRef(it.n)] = id
		}
		for ref, value := range it.remember {
			if value == "" {
				value = id
			}
			refs[ref] = value
		}
	}
	return refs
}

func rejectsOf(items []*item, outcomes []outcome) []reject {
	var all []reject
	for i, o := range outcomes {
		if o.reason != "" {
			all = append(all, reject{record: items[i].n, line: items[i].line, reason: o.reason})
		}
	}
	return all
}

func (im *importer) writeRejects(items []*item, rejects []reject) error {
	for _, x := range rejects {
		var raw any
		for _, it := range items {
			if it.n == x.record {
				raw = it.raw
			}
		}
		if err := im.rejects.write(raw, x); err != nil {
			return err
		}
	}
	return nil
}

// sameKey says that two records of a file are of one resource.
func sameKey(k directory.Key, line string) error {
	return fmt.Errorf("line %s has the same %s", line, k)
}
