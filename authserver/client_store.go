package authserver

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// secretLength: 43 characters are 256 random bits.
const secretLength = 43

// clients is the snapshot of every client, immutable.
type clients struct {
	byID    map[string]*Client
	ordered []*Client                      // by ID, which is by age
	origins map[string]map[string]struct{} // origin of a redirect URI to client IDs
}

func (s *Service) loadClients(ctx context.Context, r sqldb.Reader) (*clients, error) {
	rows, err := r.Query(ctx, `SELECT id, secret, body FROM oauth_clients ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	out := &clients{byID: map[string]*Client{}, origins: map[string]map[string]struct{}{}}
	for rows.Next() {
		c := &Client{}
		var clientID string
		var body []byte
		if err := rows.Scan(&clientID, &c.secretHash, &body); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(body, c); err != nil {
			return nil, fmt.Errorf("client %s: %w", clientID, err)
		}
		if err := c.checkKeys(); err != nil {
			return nil, fmt.Errorf("client %s: %w", clientID, err)
		}
		out.add(c)
	}
	return out, rows.Err()
}

func (cs *clients) add(c *Client) {
	cs.byID[c.ID] = c
	cs.ordered = append(cs.ordered, c)
	for _, uri := range c.RedirectURIs {
		if o := originOf(uri); o != "" {
			if cs.origins[o] == nil {
				cs.origins[o] = map[string]struct{}{}
			}
			cs.origins[o][c.ID] = struct{}{}
		}
	}
}

// originOf is the web origin of a URI (RFC 6454), empty for one that has none.
func originOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Client returns a client without its secret, or ErrNotFound.
func (s *Service) Client(ctx context.Context, clientID string) (*Client, error) {
	all, err := s.clients.Get(ctx)
	if err != nil {
		return nil, err
	}
	c := all.byID[clientID]
	if c == nil {
		return nil, ErrNotFound
	}
	return c, nil
}

// Clients lists at most limit clients whose ID is greater than after, by ID.
func (s *Service) Clients(ctx context.Context, after string, limit int) ([]*Client, error) {
	all, err := s.clients.Get(ctx)
	if err != nil {
		return nil, err
	}
	i, found := slices.BinarySearchFunc(all.ordered, after, func(c *Client, id string) int { return cmp.Compare(c.ID, id) })
	if found {
		i++
	}
	return all.ordered[i:min(i+limit, len(all.ordered))], nil
}

// CreateClient registers a client (RFC 7591). The answer carries its secret this once.
func (s *Service) CreateClient(ctx context.Context, by Change, c Client) (*Client, error) {
	if err := c.normalize(); err != nil {
		return nil, err
	}
	now := s.now()
	c.ID, c.IDIssuedAt, c.SecretExpiresAt = id.NewAt(id.App, now), now.Unix(), 0
	secret := s.newSecret(&c)
	err := s.changeClient(ctx, by, "app.oauth2.client.lifecycle.create", &c, func(tx *sqldb.Tx) error {
		if err := s.insertClient(tx, &c); err != nil {
			return err
		}
		return s.setApp(tx, &c)
	})
	if err != nil {
		return nil, err
	}
	c.Secret = secret
	return &c, nil
}

// newSecret gives a client that authenticates by secret a new one.
func (s *Service) newSecret(c *Client) string {
	c.Secret, c.secretHash = "", nil
	if c.AuthMethod != authBasic && c.AuthMethod != authPost {
		return ""
	}
	secret := id.Secret(secretLength)
	c.secretHash = s.secretHash(c.ID, secret)
	return secret
}

// setApp keeps the app beside the client.
func (s *Service) setApp(tx *sqldb.Tx, c *Client) error {
	if s.Apps == nil {
		return nil
	}
	return s.Apps.SetClientAppTx(tx, c.ID, c.Name)
}

func (s *Service) insertClient(tx *sqldb.Tx, c *Client) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode client: %w", err)
	}
	now := s.now().UnixMicro()
	_, err = tx.Exec(`INSERT INTO oauth_clients (id, name, secret, body, created, updated) VALUES ($1, $2, $3, $4, $5, $6)`,
		c.ID, c.Name, c.secretHash, string(body), now, now)
	return err
}

// UpdateClient replaces a client's metadata. A client that now needs a secret and
// has none gets one, which the answer carries.
func (s *Service) UpdateClient(ctx context.Context, by Change, clientID string, c Client) (*Client, error) {
	if err := c.normalize(); err != nil {
		return nil, err
	}
	old, err := s.Client(ctx, clientID)
	if err != nil {
		return nil, err
	}
	c.ID, c.IDIssuedAt, c.SecretExpiresAt, c.Secret, c.secretHash = old.ID, old.IDIssuedAt, 0, "", old.secretHash
	secret, anew := "", !old.hasSecret() || !c.hasSecret()
	if anew {
		secret = s.newSecret(&c)
	}
	err = s.changeClient(ctx, by, "app.oauth2.client.lifecycle.update", &c, func(tx *sqldb.Tx) error {
		if err := s.updateClient(tx, &c, anew); err != nil {
			return err
		}
		return s.setApp(tx, &c)
	})
	if err != nil {
		return nil, err
	}
	c.Secret = secret
	return &c, nil
}

func (c *Client) hasSecret() bool { return c.AuthMethod == authBasic || c.AuthMethod == authPost }

// NewClientSecret replaces a client's secret; the old one stops at once.
func (s *Service) NewClientSecret(ctx context.Context, by Change, clientID string) (*Client, error) {
	old, err := s.Client(ctx, clientID)
	if err != nil {
		return nil, err
	}
	c := *old
	secret := s.newSecret(&c)
	if secret == "" {
		return nil, invalid("token_endpoint_auth_method", "%s uses no secret", c.AuthMethod)
	}
	err = s.changeClient(ctx, by, "app.oauth2.client.lifecycle.new_client_secret", &c, func(tx *sqldb.Tx) error {
		return s.updateClient(tx, &c, true)
	})
	if err != nil {
		return nil, err
	}
	c.Secret = secret
	return &c, nil
}

// updateClient leaves the secret of the row alone unless there is a new one: what
// this node holds of it may be a second old.
func (s *Service) updateClient(tx *sqldb.Tx, c *Client, secret bool) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode client: %w", err)
	}
	res, err := tx.Exec(`UPDATE oauth_clients SET name = $2, body = $3, updated = $4 WHERE id = $1`,
		c.ID, c.Name, string(body), s.now().UnixMicro())
	if err != nil {
		return err
	}
	if err := oneRow(res); err != nil || !secret {
		return err
	}
	_, err = tx.Exec(`UPDATE oauth_clients SET secret = $2 WHERE id = $1`, c.ID, c.secretHash)
	return err
}

// DeleteClient removes a client and revokes everything that was granted to it.
func (s *Service) DeleteClient(ctx context.Context, by Change, clientID string) error {
	return s.changeClient(ctx, by, "app.oauth2.client.lifecycle.delete", &Client{ID: clientID}, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`DELETE FROM oauth_clients WHERE id = $1`, clientID)
		if err != nil {
			return err
		}
		if err := oneRow(res); err != nil {
			return err
		}
		if s.Apps != nil {
			if err := s.Apps.DropClientAppTx(tx, clientID); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`UPDATE oauth_grants SET revoked = $2 WHERE client_id = $1 AND revoked = 0`, clientID, s.now().UnixMicro())
		return err
	})
}

func (s *Service) changeClient(ctx context.Context, by Change, event string, c *Client, fn func(*sqldb.Tx) error) error {
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if err := s.clients.Bump(tx); err != nil {
			return err
		}
		return events.Append(tx, events.Event{
			Type: event, Time: s.now(), Actor: by.Actor, Request: by.Request,
			Targets: []events.Target{{ID: c.ID, Type: "PublicClientApp", Name: c.Name}},
		})
	})
}
