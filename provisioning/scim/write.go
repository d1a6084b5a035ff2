package scim

import (
	"context"
	"errors"
	"net/http"
	"path"
	"strings"

	"github.com/provost-id/provost/provisioning"
	wire "github.com/provost-id/provost/schemas/scim"
)

// Create posts a resource with our ID as its externalId. An answer that does not say which resource was made leaves the outcome open.
func (c *Connector) Create(ctx context.Context, o provisioning.Object, key provisioning.Key) (provisioning.Ref, error) {
	body, err := c.body(o, key)
	if err != nil {
		return provisioning.Ref{}, err
	}
	r := request{method: http.MethodPost, path: []string{endpoint(o.Type)}, body: body}
	ans, err := c.client.do(ctx, r)
	if errors.Is(err, provisioning.ErrTooLarge) {
		return provisioning.Ref{}, &provisioning.Error{Kind: provisioning.ErrUnknown, Op: r.op(), Err: err}
	}
	if err != nil {
		return provisioning.Ref{}, err
	}
	var t tree
	_ = ans.decode(r.op(), &t) // without an id in it, Location may tell
	id := str(t, "id")
	if location := ans.header.Get("Location"); id == "" && location != "" {
		id = path.Base(location)
	}
	if id == "" {
		return provisioning.Ref{}, &provisioning.Error{Kind: provisioning.ErrUnknown, Op: r.op(), Status: ans.status,
			Body: "no id in: " + provisioning.Words(string(ans.body))}
	}
	ref := c.object(o.Type, t, nil).Ref
	if ref.ID = id; ref.Name == "" {
		ref.Name = str(body, naming(o.Type))
	}
	return ref, nil
}

// Update sends the smallest PATCH, or a PUT to a target that has no PATCH. With a version the target is asked to refuse when it has another.
// The resource is read first where there is no version, or where a path selects an element: only what differs is then
// sent, and a repeated update sends nothing.
func (c *Connector) Update(ctx context.Context, r provisioning.Ref, d provisioning.Delta, match string) (string, error) {
	a, err := c.discover(ctx)
	if err != nil {
		return "", err
	}
	if !a.patch {
		return c.replace(ctx, r, d, match)
	}
	now, known := before(d), match
	if match == "" || selects(d) {
		var header http.Header
		if now, header, err = c.get(ctx, r); err != nil {
			return "", c.verified(ctx, r, err)
		}
		known = version(now, header)
	}
	ops, err := operations(now, d, c.settings.profile.BoolAsString)
	if err != nil || len(ops) == 0 {
		return known, err
	}
	v, err := c.patch(ctx, r, ops, match)
	if c.noVerb(ctx, r, err) {
		return c.replace(ctx, r, d, match)
	}
	return v, c.verified(ctx, r, err)
}

// selects says whether a delta has paths to elements of a type: what they are called at the target is seen only there.
func selects(d provisioning.Delta) bool {
	for remote := range d.Set {
		if strings.Contains(remote, "[") {
			return true
		}
	}
	return false
}

// before is the resource as a delta says it was.
func before(d provisioning.Delta) tree {
	t := tree{}
	for remote, change := range d.Set {
		if p, err := parsePath(remote); err == nil { // otherwise operations says so
			p.set(t, change.From)
		}
	}
	if d.Active != nil {
		t["active"] = !*d.Active
	}
	return t
}

func (c *Connector) patch(ctx context.Context, r provisioning.Ref, ops []wire.PatchOperation, version string) (string, error) {
	body := wire.PatchRequest{Schemas: []string{wire.MessagePatch}, Operations: ops}
	return c.send(ctx, request{method: http.MethodPatch, path: []string{endpoint(r.Type), r.ID}, body: body, match: version})
}

// send returns the version that an answer shows.
func (c *Connector) send(ctx context.Context, r request) (string, error) {
	ans, err := c.client.do(ctx, r)
	if err != nil {
		return "", err
	}
	var t tree
	if len(ans.body) > 0 {
		_ = ans.decode(r.op(), &t) // it was done; only the version is missed
	}
	return version(t, ans.header), nil
}

// noVerb says that a target has no PATCH: it says so, or knows the resource and yet answers 404.
func (c *Connector) noVerb(ctx context.Context, r provisioning.Ref, err error) bool {
	switch status(err) {
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	case http.StatusNotFound:
		_, _, err := c.get(ctx, r)
		return err == nil
	}
	return false
}

// replace reads a resource, changes it, and puts it back whole.
func (c *Connector) replace(ctx context.Context, r provisioning.Ref, d provisioning.Delta, match string) (string, error) {
	t, header, err := c.get(ctx, r)
	if err != nil {
		return "", c.verified(ctx, r, err)
	}
	now := version(t, header)
	ops, err := operations(t, d, c.settings.profile.BoolAsString)
	if err != nil || len(ops) == 0 {
		return now, err
	}
	if match == "" {
		match = now // nobody else's change is undone
	}
	for remote, change := range d.Set {
		if p, err := parsePath(remote); err == nil { // operations has checked it
			p.set(t, nonEmpty(change.To))
		}
	}
	if d.Active != nil {
		t["active"] = boolean(*d.Active, c.settings.profile.BoolAsString)
	}
	return c.put(ctx, r, t, match)
}

func (c *Connector) put(ctx context.Context, r provisioning.Ref, t tree, match string) (string, error) {
	delete(t, "meta")
	delete(t, "groups")
	t["schemas"] = schemasOf(r.Type, t)
	v, err := c.send(ctx, request{method: http.MethodPut, path: []string{endpoint(r.Type), r.ID}, body: t, match: match})
	return v, c.verified(ctx, r, err)
}

// Delete removes a resource, or deactivates a user where the profile says that deleting means that.
func (c *Connector) Delete(ctx context.Context, r provisioning.Ref) error {
	var err error
	if c.settings.profile.DeleteMeans == "deactivate" && r.Type == provisioning.TypeUser {
		off := false
		_, err = c.Update(ctx, r, provisioning.Delta{Active: &off}, "")
	} else {
		_, err = c.client.do(ctx, request{method: http.MethodDelete, path: []string{endpoint(r.Type), r.ID}})
		err = c.verified(ctx, r, err)
	}
	if errors.Is(err, provisioning.ErrNotFound) {
		return nil
	}
	return err
}

// SetPassword replaces the attribute password, which no target returns.
func (c *Connector) SetPassword(ctx context.Context, r provisioning.Ref, password string) error {
	for _, b := range []byte(password) {
		if b == 0 {
			password = ""
		}
	}
	if password == "" {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Op: "set the password", Attr: "password", Body: "empty, or with a NUL in it"}
	}
	body := wire.PatchRequest{Schemas: []string{wire.MessagePatch}, Operations: []wire.PatchOperation{
		{Op: "replace", Path: "password", Value: mustJSON(password)},
	}}
	_, err := c.send(ctx, request{method: http.MethodPatch, path: []string{"Users", r.ID}, body: body, secret: password})
	r.Type = provisioning.TypeUser
	return c.verified(ctx, r, err)
}
