package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// errBuiltInName is a group at an app that is called like one of the built-in groups:
// nobody becomes an administrator by it.
var errBuiltInName = errors.New("the name is that of a built-in group")

// groupName is what a group at an app is called.
func groupName(t ObjectType, o Object) string {
	for _, name := range []string{"displayName", "cn", "name"} {
		if v := o.Attributes[remoteName(t, name)]; len(v) > 0 && v[0] != "" {
			return v[0]
		}
	}
	return o.Name
}

// remoteName is the target's own name of an attribute of the profile.
func remoteName(t ObjectType, name string) string {
	for _, a := range t.Attributes {
		if a.Name == name {
			return a.RemoteName()
		}
	}
	return name
}

// planGroup plans a group by its link; a group without one is new.
func (p *planner) planGroup(ctx context.Context, row *planned, o Object) error {
	row.login = groupName(p.w.t.groups, o)
	link, err := p.w.e.Dir.GroupLinkByExternalID(ctx, p.w.run.AppID, row.externalID)
	if errors.Is(err, directory.ErrNotFound) {
		return p.planNewGroup(row)
	}
	if err != nil {
		return err
	}
	row.userID = link.GroupID
	if _, err := p.w.e.Dir.Group(ctx, link.GroupID); errors.Is(err, directory.ErrNotFound) {
		row.action, row.state, row.reason = actionIgnore, stateDone, "the group was deleted here"
		return nil
	} else if err != nil {
		return err
	}
	if row.hash == hashDeleted {
		row.action, row.reason = actionDeactivate, "deleted at the app"
		return nil
	}
	row.action = actionUpdate
	if link.Name != row.login {
		row.delta = map[string]FromTo{"name": {From: link.Name, To: row.login}}
	}
	return nil
}

func (p *planner) planNewGroup(row *planned) error {
	switch {
	case row.hash == hashDeleted:
		row.action, row.state, row.reason = actionIgnore, stateDone, "gone at the app, and unknown here"
	case schemas.Fold(row.login) == schemas.Fold(directory.Administrators) || schemas.Fold(row.login) == schemas.Fold(directory.Everyone):
		row.fail(errBuiltInName)
	default:
		row.action = actionCreate
		row.delta = map[string]FromTo{"name": {To: row.login}}
	}
	return nil
}

// applyGroup makes or renames a group and brings its members in step: who came to the
// app's group since it was last known joins, who left it leaves. Members whom the app
// does not know are left alone.
func (w *work) applyGroup(ctx context.Context, row *planned) error {
	o, err := row.object()
	if err != nil {
		return err
	}
	members, missing, err := w.members(ctx, o)
	if err != nil {
		return err
	}
	known, err := w.e.Dir.KnownMembers(ctx, w.run.AppID, row.userID)
	if err != nil {
		return err
	}
	return w.write(ctx, func(tx *sqldb.Tx) error {
		r := *row
		if missing > 0 {
			r.reason = appendReason(r.reason, fmt.Sprintf("%d of %d members have no user here", missing, len(o.Members)))
		}
		err := w.storeGroup(tx, &r, o)
		if errors.Is(err, errNewer) {
			return w.leave(tx, &r)
		}
		if err != nil {
			return err
		}
		if err := w.syncMembers(tx, &r, o, known, members); err != nil {
			return err
		}
		r.state = stateDone
		return storePlanned(tx, w.run.ID, []*planned{&r})
	})
}

// members resolves the members of a group to users by their links.
func (w *work) members(ctx context.Context, o Object) (userIDs []string, missing int, err error) {
	for _, m := range o.Members {
		var userID string
		if m.ID != "" {
			userID, err = w.e.Dir.UserIDByExternalID(ctx, w.run.AppID, m.ID)
		} else {
			userID, err = w.e.Dir.UserIDByRemoteName(ctx, w.run.AppID, m.Name)
		}
		if err != nil {
			return nil, 0, err
		}
		if userID == "" {
			missing++
			continue
		}
		userIDs = append(userIDs, userID)
	}
	slices.Sort(userIDs)
	return slices.Compact(userIDs), missing, nil
}

// storeGroup makes the group and its link, or renames it.
func (w *work) storeGroup(tx *sqldb.Tx, row *planned, o Object) error {
	r, err := w.groupResource(row.login)
	if err != nil {
		return err
	}
	link := &directory.GroupLink{AppID: w.run.AppID, Imported: true}
	if row.action == actionCreate {
		g, err := w.e.Dir.CreateGroupTx(tx, w.change(), r, directory.GroupOptions{Type: directory.AppGroup})
		if err != nil {
			return err
		}
		row.userID, link.GroupID = g.ID, g.ID
	} else {
		if link, err = w.e.Dir.GroupLinkTx(tx, w.run.AppID, row.userID); err != nil {
			return err
		}
		if link.LastSync.After(w.run.Created) {
			return errNewer
		}
	}
	if row.action == actionUpdate && len(row.delta) > 0 {
		if _, err := w.e.Dir.UpdateGroupTx(tx, w.change(), row.userID, r); err != nil {
			return err
		}
	}
	link.ExternalID, link.RemoteName, link.Name, link.RemoteVersion = o.ID, o.Name, row.login, o.Version
	link.Hash, link.LastSync = row.hash, w.e.Now()
	return w.e.Dir.SaveGroupLinkTx(tx, link)
}

func (w *work) groupResource(name string) (*schemas.Resource, error) {
	typ, ok := w.e.Dir.Schemas().Type("Group")
	if !ok {
		return nil, errors.New("the schema has no groups")
	}
	body, err := json.Marshal(map[string]string{"displayName": name})
	if err != nil {
		return nil, fmt.Errorf("encode group: %w", err)
	}
	return typ.Parse(body, schemas.Generic)
}

// syncMembers applies the difference between what the app had and what it has. A list
// that the target has cut takes nobody out.
func (w *work) syncMembers(tx *sqldb.Tx, row *planned, o Object, known []*directory.Account, now []string) error {
	had := map[string]bool{}
	for _, k := range known {
		had[k.UserID] = true
	}
	var added, removed []string
	for _, userID := range now {
		if !had[userID] {
			added = append(added, userID)
		}
		delete(had, userID)
	}
	if !o.MembersUnknown {
		for userID := range had {
			removed = append(removed, userID)
		}
	}
	slices.Sort(removed)
	if err := w.joinAndLeave(tx, row, added, removed); err != nil {
		return err
	}
	return w.e.Dir.SetKnownMembersTx(tx, w.run.AppID, row.userID, added, removed)
}

func (w *work) joinAndLeave(tx *sqldb.Tx, row *planned, added, removed []string) error {
	if row.action == actionCreate {
		return w.e.Dir.SetMembersTx(tx, w.change(), row.userID, added)
	}
	return w.e.Dir.ChangeMembersTx(tx, w.change(), row.userID, added, removed)
}

// removeGroup deletes a group that the app had first and has no more; one that was
// pushed there only loses its link.
func (w *work) removeGroup(ctx context.Context, row *planned) error {
	link, err := w.e.Dir.GroupLink(ctx, w.run.AppID, row.userID)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return err
	}
	return w.write(ctx, func(tx *sqldb.Tx) error {
		r := *row
		r.state = stateDone
		if link != nil {
			if err := w.e.Dir.DeleteGroupLinkTx(tx, w.run.AppID, row.userID); err != nil {
				return err
			}
			if link.Imported {
				err := w.e.Dir.DeleteGroupTx(tx, w.change(), row.userID, nil)
				if err != nil && !errors.Is(err, directory.ErrNotFound) {
					return err
				}
			}
		}
		return storePlanned(tx, w.run.ID, []*planned{&r})
	})
}
