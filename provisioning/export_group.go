package provisioning

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
)

func copyOf(m map[string]any) map[string]any { return maps.Clone(m) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// group brings one group in step at an app with GROUP_PUSH: makes it, renames it,
// changes its members, or removes it.
func (x *export) group(ctx context.Context) error {
	link, err := x.e.Dir.GroupLink(ctx, x.m.appID, x.m.objectID)
	if errors.Is(err, directory.ErrNotFound) {
		link, err = nil, nil
	}
	if err != nil {
		return err
	}
	g, err := x.e.Dir.Group(ctx, x.m.objectID)
	if errors.Is(err, directory.ErrNotFound) {
		return x.removeGroup(ctx, link)
	}
	if err != nil {
		return err
	}
	if !x.t.app.Has(directory.GroupPush) {
		return x.done(ctx, nil)
	}
	if link == nil || link.ExternalID == "" {
		assigned, err := x.e.Dir.GroupAssigned(ctx, x.m.appID, g.ID)
		if err != nil {
			return err
		}
		if !assigned {
			return x.done(ctx, nil)
		}
		if link, err = x.ensureGroup(ctx, g, link); err != nil {
			return err
		}
	}
	if err := x.renameGroup(ctx, g, link); err != nil {
		return err
	}
	return x.pushMembers(ctx, g, link)
}

// groupProfile is a group as the app's profile names it.
func (x *export) groupProfile(g *directory.Group) map[string]any {
	for _, name := range []string{"displayName", "cn", "name"} {
		for _, a := range x.t.groups.Attributes {
			if a.Name == name {
				return map[string]any{name: g.Name()}
			}
		}
	}
	return map[string]any{"displayName": g.Name()}
}

// ensureGroup makes the group at the app, with those members who have accounts there.
// A create whose outcome is not known is resolved first.
func (x *export) ensureGroup(ctx context.Context, g *directory.Group, link *directory.GroupLink) (*directory.GroupLink, error) {
	if link != nil && link.Creating {
		found, err := x.findGroup(ctx, g)
		if err == nil || !errors.Is(err, ErrNotFound) {
			return found, err
		}
	}
	writer, ok := x.t.conn.(Writer)
	if !ok {
		return nil, x.readOnly()
	}
	members, err := x.e.Dir.GroupAccounts(ctx, x.m.appID, g.ID)
	if err != nil {
		return nil, err
	}
	o := Object{
		Ref: Ref{Type: TypeGroup, ExternalID: g.ID}, Attributes: x.t.groups.Values(x.groupProfile(g)),
		Members: refsOf(members), Active: true,
	}
	made := &directory.GroupLink{AppID: x.m.appID, GroupID: g.ID, Name: g.Name(), Creating: true}
	var ref Ref
	err = x.attempt(ctx, opCreate, o, func(tx *sqldb.Tx) error {
		return x.e.Dir.SaveGroupLinkTx(tx, made)
	}, func(ctx context.Context) (err error) {
		ref, err = writer.Create(ctx, o, Key(g.ID))
		return err
	}, func(tx *sqldb.Tx) error {
		made.ExternalID, made.RemoteName, made.Creating, made.LastSync = ref.ID, ref.Name, false, x.e.Now()
		if err := x.e.Dir.SaveGroupLinkTx(tx, made); err != nil {
			return err
		}
		if err := x.e.Dir.SetKnownMembersTx(tx, x.m.appID, g.ID, idsOf(members), nil); err != nil {
			return err
		}
		return x.auditTx(tx, "application.provision.group_push.push", map[string]any{"externalId": ref.ID})
	})
	if errors.Is(err, ErrConflict) {
		return x.findGroup(ctx, g)
	}
	return made, err
}

// findGroup links a group that is at the app already. Its members are then brought in
// step one by one: those whom nobody here knows stay.
func (x *export) findGroup(ctx context.Context, g *directory.Group) (*directory.GroupLink, error) {
	getter, ok := x.t.conn.(Getter)
	if !ok {
		return nil, errDisputed
	}
	asking, cancel := context.WithTimeout(ctx, x.e.callTimeout())
	defer cancel()
	o, err := getter.Get(asking, Ref{Type: TypeGroup, ExternalID: g.ID, Name: g.Name()})
	if err != nil {
		return nil, err
	}
	other, err := x.e.Dir.GroupLinkByExternalID(ctx, x.m.appID, o.ID)
	if err == nil && other.GroupID != g.ID {
		return nil, errDisputed
	}
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return nil, err
	}
	link := &directory.GroupLink{
		AppID: x.m.appID, GroupID: g.ID, ExternalID: o.ID, RemoteName: o.Name, Name: groupName(x.t.groups, o), RemoteVersion: o.Version, LastSync: x.e.Now(),
	}
	known, err := x.knownOf(ctx, o)
	if err != nil {
		return nil, err
	}
	return link, x.write(ctx, func(tx *sqldb.Tx) error {
		if err := x.e.Dir.SaveGroupLinkTx(tx, link); err != nil {
			return err
		}
		return x.e.Dir.SetKnownMembersTx(tx, x.m.appID, g.ID, known, nil)
	})
}

// knownOf are the users behind the members of a group at the app.
func (x *export) knownOf(ctx context.Context, o Object) ([]string, error) {
	var known []string
	for _, m := range o.Members {
		var userID string
		var err error
		if m.ID != "" {
			userID, err = x.e.Dir.UserIDByExternalID(ctx, x.m.appID, m.ID)
		} else {
			userID, err = x.e.Dir.UserIDByRemoteName(ctx, x.m.appID, m.Name)
		}
		if err != nil {
			return nil, err
		}
		if userID != "" {
			known = append(known, userID)
		}
	}
	return known, nil
}

func (x *export) renameGroup(ctx context.Context, g *directory.Group, link *directory.GroupLink) error {
	if link.Name == g.Name() {
		return nil
	}
	writer, ok := x.t.conn.(Writer)
	if !ok {
		return x.readOnly()
	}
	attributes := map[string][]string{}
	for name := range x.groupProfile(g) {
		attributes[remoteName(x.t.groups, name)] = []string{link.Name}
	}
	d := x.t.groups.Diff(attributes, x.groupProfile(g))
	var version string
	return x.attempt(ctx, opUpdate, d, nothing, func(ctx context.Context) (err error) {
		version, err = writer.Update(ctx, groupRef(link), d, link.RemoteVersion)
		return err
	}, func(tx *sqldb.Tx) error {
		link.Name, link.RemoteVersion, link.LastSync = g.Name(), version, x.e.Now()
		return x.e.Dir.SaveGroupLinkTx(tx, link)
	})
}

func groupRef(l *directory.GroupLink) Ref {
	return Ref{Type: TypeGroup, ID: l.ExternalID, Name: l.RemoteName, ExternalID: l.GroupID}
}

// pushMembers sends who has come and who has gone, never the whole list. Whoever has no
// account at the app yet is sent once the account is made.
func (x *export) pushMembers(ctx context.Context, g *directory.Group, link *directory.GroupLink) error {
	wanted, err := x.e.Dir.GroupAccounts(ctx, x.m.appID, g.ID)
	if err != nil {
		return err
	}
	known, err := x.e.Dir.KnownMembers(ctx, x.m.appID, g.ID)
	if err != nil {
		return err
	}
	add, remove := without(wanted, known), without(known, wanted)
	if len(add)+len(remove) == 0 {
		return x.done(ctx, nil)
	}
	members, ok := x.t.conn.(Members)
	if !ok {
		return x.readOnly()
	}
	request := map[string][]string{"add": idsOf(add), "remove": idsOf(remove)}
	return x.attempt(ctx, opMembers, request, nothing, func(ctx context.Context) error {
		return members.PatchMembers(ctx, groupRef(link), refsOf(add), refsOf(remove))
	}, func(tx *sqldb.Tx) error {
		if err := x.e.Dir.SetKnownMembersTx(tx, x.m.appID, g.ID, idsOf(add), idsOf(remove)); err != nil {
			return err
		}
		link.LastSync, link.RemoteVersion = x.e.Now(), ""
		if err := x.e.Dir.SaveGroupLinkTx(tx, link); err != nil {
			return err
		}
		if err := x.auditTx(tx, "application.provision.group_push.push_memberships", map[string]any{"added": len(add), "removed": len(remove)}); err != nil {
			return err
		}
		return x.finishTx(tx, x.m)
	})
}

// without lists the accounts of a that are not in b.
func without(a, b []*directory.Account) []*directory.Account {
	in := make(map[string]bool, len(b))
	for _, m := range b {
		in[m.UserID] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(m *directory.Account) bool { return in[m.UserID] })
}

func idsOf(accounts []*directory.Account) []string {
	out := make([]string, len(accounts))
	for i, m := range accounts {
		out[i] = m.UserID
	}
	return out
}

// refsOf names members at the app; one whose account is gone has left it already.
func refsOf(accounts []*directory.Account) []Ref {
	var out []Ref
	for _, m := range accounts {
		if m.ExternalID != "" {
			out = append(out, Ref{Type: TypeUser, ID: m.ExternalID, Name: m.RemoteName, ExternalID: m.UserID})
		}
	}
	return out
}

// removeGroup deletes at the app what was pushed there, once it is gone here. A group
// that the app had first stays.
func (x *export) removeGroup(ctx context.Context, link *directory.GroupLink) error {
	forget := func(tx *sqldb.Tx) error {
		if err := x.e.Dir.DeleteGroupLinkTx(tx, x.m.appID, x.m.objectID); err != nil {
			return err
		}
		return x.finishTx(tx, x.m)
	}
	if link == nil || link.Imported || link.ExternalID == "" || !x.t.app.Has(directory.GroupPush) {
		return x.write(ctx, forget)
	}
	writer, ok := x.t.conn.(Writer)
	if !ok {
		return x.readOnly()
	}
	return x.attempt(ctx, opDelete, link.ExternalID, nothing, func(ctx context.Context) error {
		return writer.Delete(ctx, groupRef(link))
	}, forget)
}
