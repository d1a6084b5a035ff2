package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// takeLinks deals with a batch of the second pass.
func (im *importer) takeLinks(ctx context.Context, b *batch) error {
	steps, err := im.planLinks(ctx, b.links)
	if err != nil {
		return err
	}
	steps, err = im.ahead(ctx, steps)
	if err != nil {
		return err
	}
	to := run{id: im.run.id, pass: 2, done: b.last}
	var rejects []reject
	var members int64
	settle := func(tx *sqldb.Tx) error {
		to.Counts = im.run.Counts
		to.Counts.Members += members
		to.Counts.Rejected += int64(len(rejects))
		if err := im.run.insertRejects(tx, 2, rejects); err != nil {
			return err
		}
		return im.run.advance(tx, to, im.dir.Now())
	}
	err = im.write(ctx, settle, func(tx *sqldb.Tx) error {
		members, rejects = 0, nil
		for _, s := range steps {
			n, x, err := im.link(tx, s)
			if err != nil {
				return err
			}
			members += n
			if x != nil {
				rejects = append(rejects, *x)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	*im.run = to
	for _, x := range rejects {
		if err := im.rejects.write(im.linkRaw(steps, x), x); err != nil {
			return err
		}
	}
	return nil
}

// linkStep is a record of the second pass with its references resolved.
type linkStep struct {
	*links
	id      string   // of the resource
	found   []string // IDs of members
	done    int64    // members that are dealt with already
	missing []string // members that nobody knows
	boss    string   // ID of the manager
}

// planLinks resolves the references of those records that are deferred.
func (im *importer) planLinks(ctx context.Context, all []*links) ([]*linkStep, error) {
	var steps []*linkStep
	var own, names []string
	for _, l := range all {
		if len(l.members) == 0 && l.manager == "" {
			continue
		}
		steps = append(steps, &linkStep{links: l})
		own = append(own, ownRef(l))
		names = append(names, l.members...)
		if l.manager != "" {
			names = append(names, l.manager)
		}
	}
	ids, err := im.run.findRefs(ctx, im.store, own)
	if err != nil {
		return nil, err
	}
	resolved, err := im.resolveMembers(ctx, names)
	if err != nil {
		return nil, err
	}
	kept := steps[:0]
	for i, s := range steps {
		s.id = ids[own[i]]
		if s.id == "" && s.to != "" && id.Is(id.Group, s.to) {
			s.id = s.to
		}
		if s.id == "" {
			continue // it was rejected, or needs nothing
		}
		s.boss = resolved[s.manager]
		for _, name := range s.members {
			if memberID, ok := resolved[name]; ok {
				s.found = append(s.found, memberID)
			} else {
				s.missing = append(s.missing, name)
			}
		}
		kept = append(kept, s)
	}
	return kept, nil
}

func ownRef(l *links) string {
	if l.to != "" {
		return ref(refName, l.to)
	}
	return numberRef(l.n)
}

// resolveMembers finds IDs by what the file calls members, which may be IDs of ours.
func (im *importer) resolveMembers(ctx context.Context, names []string) (map[string]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	resolved, err := im.resolve(ctx, names)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, name := range names {
		if _, ok := resolved[name]; !ok && (id.Is(id.User, name) || id.Is(id.Group, name)) {
			ids = append(ids, name)
		}
	}
	types, err := im.dir.TypesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, name := range ids {
		if types[name] != "" {
			resolved[name] = name
		}
	}
	return resolved, nil
}

// ahead adds the members of very large groups but for the last part of each, in
// transactions of their own: to add somebody twice changes nothing.
func (im *importer) ahead(ctx context.Context, steps []*linkStep) ([]*linkStep, error) {
	if im.o.DryRun {
		return steps, nil
	}
	for _, s := range steps {
		for len(s.found) > linkPart {
			part := s.found[:linkPart]
			err := im.dir.DB.Write(ctx, func(tx *sqldb.Tx) error {
				return im.dir.ChangeMembersTx(tx, im.change, s.id, part, nil)
			})
			if _, refused := refusal(err); refused {
				break // the last part tells why
			}
			if err != nil {
				return nil, err
			}
			s.found, s.done = s.found[linkPart:], s.done+linkPart
		}
	}
	return steps, nil
}

// link makes the references of one record.
func (im *importer) link(tx *sqldb.Tx, s *linkStep) (members int64, x *reject, err error) {
	var reasons []string
	refused := func(err error) error {
		reason, err := orFatal(err)
		if reason != "" {
			reasons = append(reasons, reason)
		}
		return err
	}
	detail := s.missing
	if len(s.missing) > 0 {
		reasons = append(reasons, fmt.Sprintf("%d members are not known", len(s.missing)))
	}
	members = s.done
	switch {
	case len(s.found) == 0:
	case im.o.DryRun:
		members += int64(len(s.found))
	default:
		err := tx.Try(func() error { return im.dir.ChangeMembersTx(tx, im.change, s.id, s.found, nil) })
		if err != nil {
			err = fmt.Errorf("group %s: %w", s.id, err)
		}
		if err == nil {
			members += int64(len(s.found))
		} else {
			detail = s.members
		}
		if err := refused(err); err != nil {
			return 0, nil, err
		}
	}
	if s.boss != "" && !im.o.DryRun {
		if err := refused(tx.Try(func() error { return im.setBoss(tx, s) })); err != nil {
			return 0, nil, err
		}
	}
	if len(reasons) > 0 {
		x = &reject{record: s.step, line: s.line, reason: strings.Join(reasons, "; "), detail: detail}
	}
	return members, x, nil
}

// setBoss replaces what the file calls the manager by its ID.
func (im *importer) setBoss(tx *sqldb.Tx, s *linkStep) error {
	_, err := im.dir.UpdateProfileTx(tx, im.change, s.id, map[string]any{managerName: s.boss})
	if errors.Is(err, directory.ErrNotFound) {
		return nil // deleted since
	}
	return err
}

// linkRaw is what the reject file shows of a group: who was not taken as a member.
func (im *importer) linkRaw(steps []*linkStep, x reject) any {
	for _, s := range steps {
		if s.step == x.record {
			return im.rawOf(s)
		}
	}
	return nil
}

func (im *importer) rawOf(s *linkStep) any {
	if im.o.Format != JSONLines {
		return s.raw
	}
	return fmt.Appendf(nil, `{"schemas":[%q],"id":%q}`, membersURN, s.id)
}
