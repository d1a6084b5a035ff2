package scim

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/provost-id/provost/provisioning"
	wire "github.com/provost-id/provost/schemas/scim"
)

// abilities are what a target says of itself.
type abilities struct {
	patch    bool
	password bool
	etag     bool
	count    int             // page size
	schemas  map[string]bool // paths of its attributes in lower case; nil when it does not tell
}

// discover asks for ServiceProviderConfig and Schemas (RFC 7644, section 4) once. A target that has no such endpoints is taken to do what
// the RFCs ask for; one that cannot be reached, or answers rubbish, is an error: guessing would silently turn PATCH off.
func (c *Connector) discover(ctx context.Context) (abilities, error) {
	c.mu.Lock()
	known := c.known
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	a := abilities{patch: true, count: c.settings.profile.MaxCount}
	var spc wire.ServiceProviderConfig
	switch found, err := c.fetch(ctx, "ServiceProviderConfig", &spc); {
	case err != nil:
		return a, err
	case found:
		a.patch, a.password, a.etag = spc.Patch.Supported, spc.ChangePassword.Supported, spc.ETag.Supported
		if n := spc.Filter.MaxResults; n > 0 && n < a.count {
			a.count = n
		}
	}
	if c.settings.profile.Patch != "" {
		a.patch = c.settings.profile.Patch == "rfc"
	}
	var err error
	if a.schemas, err = c.attributes(ctx); err != nil {
		return a, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = &a
	return a, nil
}

// fetch reads a discovery document; found is false when the target has none.
func (c *Connector) fetch(ctx context.Context, name string, into any) (found bool, err error) {
	r := request{method: http.MethodGet, path: []string{name}}
	ans, err := c.client.do(ctx, r)
	if s := status(err); s == http.StatusNotFound || s == http.StatusNotImplemented || s == http.StatusMethodNotAllowed {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, ans.decode(r.op(), into)
}

// attributes lists the paths that the target's schemas have.
func (c *Connector) attributes(ctx context.Context) (map[string]bool, error) {
	var list struct {
		Resources []struct {
			ID         string      `json:"id"`
			Attributes []attribute `json:"attributes"`
		} `json:"Resources"`
	}
	if found, err := c.fetch(ctx, "Schemas", &list); err != nil || !found {
		return nil, err
	}
	paths := map[string]bool{}
	for _, s := range list.Resources {
		prefix := ""
		if s.ID != wire.User && s.ID != wire.Group {
			prefix = s.ID + ":"
		}
		for _, a := range s.Attributes {
			a.collect(prefix, paths)
		}
	}
	if !paths["username"] {
		return nil, nil // it tells schemas, but not those of its users
	}
	return paths, nil
}

type attribute struct {
	Name string      `json:"name"`
	Sub  []attribute `json:"subAttributes"`
}

func (a attribute) collect(prefix string, paths map[string]bool) {
	paths[strings.ToLower(prefix+a.Name)] = true
	for _, s := range a.Sub {
		paths[strings.ToLower(prefix+a.Name+"."+s.Name)] = true
	}
}

// has says whether the target knows an attribute.
func (a abilities) has(attribute provisioning.Attribute) bool {
	p, err := parsePath(attribute.RemoteName())
	return err == nil && (a.schemas == nil || a.schemas[strings.ToLower(p.String())])
}

// Schema is core User, core Group and the enterprise extension, less what the target's own schemas do not have.
func (c *Connector) Schema(ctx context.Context) (provisioning.Schema, error) {
	a, err := c.discover(ctx)
	if errors.Is(err, provisioning.ErrDenied) || ctx.Err() != nil {
		return provisioning.Schema{}, err
	}
	var out provisioning.Schema
	for _, t := range schema.Types {
		kept := provisioning.ObjectType{Name: t.Name}
		for _, attribute := range t.Attributes {
			if a.has(attribute) {
				kept.Attributes = append(kept.Attributes, attribute)
			}
		}
		out.Types = append(out.Types, kept)
	}
	return out, nil
}
