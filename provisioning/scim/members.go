package scim

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/provost-id/provost/provisioning"
	wire "github.com/provost-id/provost/schemas/scim"
)

// PatchMembers sends only who comes and who goes, in chunks, and nobody whom we do not know of is removed. The group is read first,
// unless the profile says that it is too large for that: there are targets that keep a member twice when it is added twice.
// A target without PATCH gets the whole list if the profile allows it.
func (c *Connector) PatchMembers(ctx context.Context, group provisioning.Ref, add, remove []provisioning.Ref) error {
	group.Type = provisioning.TypeGroup
	a, err := c.discover(ctx)
	if err != nil {
		return err
	}
	if !a.patch {
		return c.replaceMembers(ctx, group, add, remove)
	}
	if !c.settings.profile.MembersBlind {
		t, _, err := c.get(ctx, group)
		if err != nil && !errors.Is(err, provisioning.ErrTooLarge) {
			return c.verified(ctx, group, err)
		}
		add, remove = c.remaining(t, add, remove)
	}
	return c.sendMembers(ctx, group, add, remove)
}

// remaining leaves out what is done already. Of a list that may be cut, only what it does say counts.
func (c *Connector) remaining(t tree, add, remove []provisioning.Ref) (a, r []provisioning.Ref) {
	now, unknown := c.members(t)
	a = slices.DeleteFunc(slices.Clone(add), func(r provisioning.Ref) bool { return has(now, r) })
	r = slices.DeleteFunc(slices.Clone(remove), func(r provisioning.Ref) bool { return !unknown && t != nil && !has(now, r) })
	return a, r
}

func has(list []provisioning.Ref, r provisioning.Ref) bool {
	return slices.ContainsFunc(list, func(o provisioning.Ref) bool { return o.ID == r.ID })
}

func (c *Connector) sendMembers(ctx context.Context, group provisioning.Ref, add, remove []provisioning.Ref) error {
	size := c.settings.profile.MembersPerRequest
	for chunk := range slices.Chunk(remove, size) {
		if err := c.patchMembers(ctx, group, removal(chunk)); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(add, size) {
		err := c.patchMembers(ctx, group, addition(chunk))
		if status(err) == http.StatusConflict {
			err = c.addEach(ctx, group, chunk)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func addition(refs []provisioning.Ref) []wire.PatchOperation {
	return []wire.PatchOperation{{Op: "add", Path: "members", Value: mustJSON(memberValues(refs))}}
}

// removal has one operation for each member (RFC 7644, section 3.5.2.2): a list of values is not in the RFC.
func removal(refs []provisioning.Ref) []wire.PatchOperation {
	ops := make([]wire.PatchOperation, len(refs))
	for i, r := range refs {
		ops[i] = wire.PatchOperation{Op: "remove", Path: "members[value eq " + quote(r.ID) + "]"}
	}
	return ops
}

func (c *Connector) patchMembers(ctx context.Context, group provisioning.Ref, ops []wire.PatchOperation) error {
	_, err := c.patch(ctx, group, ops, "")
	return c.verified(ctx, group, err)
}

// addEach adds one by one where one of many was refused: a 409 for a member that is one is success.
func (c *Connector) addEach(ctx context.Context, group provisioning.Ref, refs []provisioning.Ref) error {
	for i := range refs {
		if err := c.patchMembers(ctx, group, addition(refs[i:i+1])); err != nil && status(err) != http.StatusConflict {
			return err
		}
	}
	return nil
}

// replaceMembers puts the whole list, unless it may have been cut when it was read.
func (c *Connector) replaceMembers(ctx context.Context, group provisioning.Ref, add, remove []provisioning.Ref) error {
	op := "PUT /Groups/" + group.ID
	if !c.settings.profile.GroupReplaceAllowed {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Op: op, Attr: "members", Body: "the target has no PATCH, and the profile does not allow to replace all members"}
	}
	t, header, err := c.get(ctx, group)
	if err != nil {
		return c.verified(ctx, group, err)
	}
	now, unknown := c.members(t)
	if unknown {
		return &provisioning.Error{Kind: provisioning.ErrTruncated, Op: op, Attr: "members", Body: "the list of members may be cut: it is not put back"}
	}
	add, remove = c.remaining(t, add, remove)
	if len(add)+len(remove) == 0 {
		return nil
	}
	next := append(slices.DeleteFunc(now, func(r provisioning.Ref) bool { return has(remove, r) }), add...)
	t["members"] = memberValues(next)
	_, err = c.put(ctx, group, t, version(t, header))
	return err
}
