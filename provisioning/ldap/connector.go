package ldap

import (
	"context"
	"fmt"
	"sync"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// Connector speaks to one directory server.
type Connector struct {
	settings settings
	options  Options
	timeout  time.Duration
	pool     *pool

	mu      sync.Mutex // guards dialect
	dialect *dialect
}

var (
	_ provisioning.Connector     = (*Connector)(nil)
	_ provisioning.Reader        = (*Connector)(nil)
	_ provisioning.Syncer        = (*Connector)(nil)
	_ provisioning.Getter        = (*Connector)(nil)
	_ provisioning.Writer        = (*Connector)(nil)
	_ provisioning.Members       = (*Connector)(nil)
	_ provisioning.Passworder    = (*Connector)(nil)
	_ provisioning.Authenticator = (*Connector)(nil)
)

// New checks the settings of an app. It does not connect.
func New(c provisioning.Config, o Options) (*Connector, error) {
	s, err := parseSettings(c)
	if err != nil {
		return nil, err
	}
	conn := &Connector{settings: s, options: o, timeout: o.Timeout}
	if conn.timeout == 0 {
		conn.timeout = 30 * time.Second
	}
	conn.pool = newPool(conn.connect)
	return conn, nil
}

// Close ends the pooled connections. Streams end with their contexts.
func (c *Connector) Close() error {
	c.pool.close()
	return nil
}

// Describe asks the server's root entry (RFC 4512, section 5.1) what it is and can do.
func (c *Connector) Describe(ctx context.Context) (provisioning.Capabilities, error) {
	d, err := c.ask(ctx)
	if err != nil {
		return provisioning.Capabilities{}, err
	}
	types := []string{provisioning.TypeUser}
	if c.settings.groupBase != nil {
		types = append(types, provisioning.TypeGroup)
	}
	return provisioning.Capabilities{
		Target: d.product, Types: types, Read: true, Sync: d.sync(), Create: true, Update: true, Delete: true,
		Members: c.settings.groupBase != nil, Password: d.passwordModify, Deactivate: true,
		MaxPage: pageSize, MaxMembers: memberChunk,
	}, nil
}

// Schema is that of inetOrgPerson (RFC 2798) and groupOfNames (RFC 4519).
func (c *Connector) Schema(context.Context) (provisioning.Schema, error) { return schema, nil }

// Test connects, signs in, and looks for the two base entries.
func (c *Connector) Test(ctx context.Context) []provisioning.Check {
	checks := []provisioning.Check{{Name: "configuration", OK: true, Detail: c.settings.address}}
	add := func(name, detail string, err error) bool {
		if err != nil {
			detail = err.Error()
		}
		checks = append(checks, provisioning.Check{Name: name, OK: err == nil, Detail: detail})
		return err == nil
	}
	conn, err := c.dial(ctx)
	if !add("network", "connected", err) {
		return checks
	}
	defer conn.Close()
	if !add("sign-in", "as "+c.settings.bindDN, c.bind(conn, c.settings.bindDN, c.settings.password)) {
		return checks
	}
	for _, base := range []*goldap.DN{c.settings.userBase, c.settings.groupBase} {
		if base == nil {
			continue
		}
		_, err := conn.Search(goldap.NewSearchRequest(base.String(), goldap.ScopeBaseObject, goldap.NeverDerefAliases, 1, 0, false,
			"(objectClass=*)", []string{"1.1"}, nil))
		if err != nil {
			err = fail("read "+base.String(), err)
		}
		if !add("read", fmt.Sprintf("%s is there", base), err) {
			return checks
		}
	}
	return checks
}
