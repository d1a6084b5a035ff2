package scim

import (
	"context"
	"net/http"
	"sync"

	"github.com/provost-id/provost/provisioning"
)

// Connector speaks to one application.
type Connector struct {
	settings settings
	client   *client

	mu    sync.Mutex // guards known
	known *abilities // what discovery has told, nil before
}

var (
	_ provisioning.Connector  = (*Connector)(nil)
	_ provisioning.Reader     = (*Connector)(nil)
	_ provisioning.Getter     = (*Connector)(nil)
	_ provisioning.Writer     = (*Connector)(nil)
	_ provisioning.Members    = (*Connector)(nil)
	_ provisioning.Passworder = (*Connector)(nil)
)

// New checks the settings of an app. The client decides which addresses are reached and bears no credentials; it is used without
// cookies and without redirects, whatever it does by itself.
func New(c provisioning.Config, h *http.Client) (*Connector, error) {
	s, err := parseSettings(c)
	if err != nil {
		return nil, err
	}
	return &Connector{settings: s, client: newClient(h, s)}, nil
}

// Close lets go of idle connections.
func (c *Connector) Close() error {
	c.client.http.CloseIdleConnections()
	return nil
}

// Describe tells what discovery and the profile say.
func (c *Connector) Describe(ctx context.Context) (provisioning.Capabilities, error) {
	a, err := c.discover(ctx)
	if err != nil {
		return provisioning.Capabilities{}, err
	}
	return provisioning.Capabilities{
		Target: "SCIM 2.0", Types: []string{provisioning.TypeUser, provisioning.TypeGroup},
		Read: true, Create: true, Update: true, Delete: true, Deactivate: true,
		Members: a.patch || c.settings.profile.GroupReplaceAllowed, Password: a.password, Versions: a.etag,
		MaxPage: a.count, MaxMembers: c.settings.profile.MembersPerRequest,
	}, nil
}

// Test reads the discovery documents and one user.
func (c *Connector) Test(ctx context.Context) []provisioning.Check {
	checks := []provisioning.Check{{Name: "configuration", OK: true, Detail: c.settings.base}}
	add := func(name, detail string, err error) bool {
		if err != nil {
			detail = err.Error()
		}
		checks = append(checks, provisioning.Check{Name: name, OK: err == nil, Detail: detail})
		return err == nil
	}
	_, err := c.discover(ctx)
	if !add("discovery", "the target has told what it can do", err) {
		return checks
	}
	_, err = c.page(ctx, provisioning.TypeUser, 1, 1, "")
	add("read", "users can be listed", err)
	return checks
}
