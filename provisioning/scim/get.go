package scim

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/provost-id/provost/provisioning"
)

// Get reads a resource by id; else finds it by externalId, else by name.
func (c *Connector) Get(ctx context.Context, r provisioning.Ref) (provisioning.Object, error) {
	t, err := c.find(ctx, r)
	if err != nil {
		return provisioning.Object{}, err
	}
	return c.object(r.Type, t, remoteNames(r.Type)), nil
}

func (c *Connector) find(ctx context.Context, r provisioning.Ref) (tree, error) {
	if r.ID != "" {
		t, _, err := c.get(ctx, r)
		return t, c.verified(ctx, r, err)
	}
	if r.ExternalID != "" {
		t, err := c.search(ctx, r.Type, "externalId", r.ExternalID)
		// A target that cannot filter by externalId says invalidFilter: then the name has to do.
		if err == nil || r.Name == "" || !errors.Is(err, provisioning.ErrNotFound) && status(err) != http.StatusBadRequest {
			return t, err
		}
	}
	if r.Name == "" {
		return nil, &provisioning.Error{Kind: provisioning.ErrNotFound, Op: "find " + r.Type, Body: "nothing to find it by"}
	}
	return c.search(ctx, r.Type, naming(r.Type), r.Name)
}

// get reads a resource by its id.
func (c *Connector) get(ctx context.Context, r provisioning.Ref) (tree, http.Header, error) {
	req := request{method: http.MethodGet, path: []string{endpoint(r.Type), r.ID}}
	ans, err := c.client.do(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	var t tree
	if err := ans.decode(req.op(), &t); err != nil {
		return nil, nil, err
	}
	if str(t, "id") != r.ID {
		return nil, nil, &provisioning.Error{Kind: provisioning.ErrTransient, Op: req.op(), Status: ans.status, Body: "another resource, or none, was answered"}
	}
	return t, ans.header, nil
}

// search finds the one resource whose attribute has a value. Some targets ignore filters that they do not know and answer with
// everybody: what comes back is compared.
func (c *Connector) search(ctx context.Context, typ, attribute, value string) (tree, error) {
	l, err := c.page(ctx, typ, 1, 2, attribute+" eq "+quote(value))
	if err != nil {
		return nil, err
	}
	op := "find " + endpoint(typ) + " by " + attribute
	var found []tree
	for _, t := range l.Resources {
		if v := str(t, attribute); v == value || attribute != "externalId" && strings.EqualFold(v, value) {
			found = append(found, t)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, &provisioning.Error{Kind: provisioning.ErrConflict, Op: op, Body: "several resources match"}
	case len(l.Resources) > 0:
		return nil, &provisioning.Error{Kind: provisioning.ErrTruncated, Op: op, Body: "the target answered with others: it ignores the filter"}
	}
	return nil, &provisioning.Error{Kind: provisioning.ErrNotFound, Op: op, Status: http.StatusOK, Body: "no resource matches"}
}

// verified believes a 404 only if the endpoint is there: a wrong base URL, or a proxy without its server, says 404 of everybody.
func (c *Connector) verified(ctx context.Context, r provisioning.Ref, err error) error {
	if !errors.Is(err, provisioning.ErrNotFound) {
		return err
	}
	if _, again := c.page(ctx, r.Type, 1, 1, ""); again != nil {
		return &provisioning.Error{Kind: provisioning.ErrTransient, Op: "find " + endpoint(r.Type) + " " + r.ID, Status: status(err),
			Body: "404, but the list of all does not answer either", Err: again}
	}
	return err
}
