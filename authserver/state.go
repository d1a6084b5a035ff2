package authserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ory/fosite"

	"github.com/provost-id/provost/authserver/policy"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

// servers is the compiled configuration of every authorization server, immutable.
type servers struct {
	byID    map[string]*server
	ordered []*server
}

// server is one authorization server with everything that a request needs.
type server struct {
	Server
	ring       *ring
	scopeList  []Scope
	scopes     map[string]*Scope
	claims     []compiledClaim
	policyList []Policy
	rules      map[string][]Rule // by policy
	policies   policy.Policies
	provider   *fosite.Fosite
	metadata   []byte // discovery document, prebuilt
}

func (srv *server) isOrg() bool { return srv.ID == OrgServer }

// accessAlg signs the access tokens.
func (srv *server) accessAlg() string {
	if srv.AccessTokenAlg == "" {
		return es256
	}
	return srv.AccessTokenAlg
}

// server finds an active server for a protocol request.
func (s *Service) server(ctx context.Context, serverID string) (*server, error) {
	all, err := s.servers.Get(ctx)
	if err != nil {
		return nil, err
	}
	srv := all.byID[serverID]
	if srv == nil || srv.Status != Active {
		return nil, ErrNotFound
	}
	return srv, nil
}

// custom finds a custom server, active or not, for the management API.
func (s *Service) custom(ctx context.Context, serverID string) (*server, error) {
	all, err := s.servers.Get(ctx)
	if err != nil {
		return nil, err
	}
	srv := all.byID[serverID]
	if srv == nil || srv.isOrg() {
		return nil, ErrNotFound
	}
	return srv, nil
}

// loadServers reads and compiles the configuration.
func (s *Service) loadServers(ctx context.Context, r sqldb.Reader) (*servers, error) {
	objects, err := readObjects(ctx, r)
	if err != nil {
		return nil, err
	}
	keys, err := s.readKeys(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &servers{byID: map[string]*server{}}
	ownerOf := map[string]*server{} // policy ID to server
	for _, kind := range []string{kindServer, kindScope, kindClaim, kindPolicy, kindRule} {
		for _, o := range objects {
			if o.Kind != kind {
				continue
			}
			if err := s.take(out, ownerOf, o); err != nil {
				return nil, fmt.Errorf("%s %s: %w", o.Kind, o.ID, err)
			}
		}
	}
	for _, srv := range out.ordered {
		if srv.ring, err = newRing(keys[srv.ID]); err != nil {
			return nil, err
		}
		if err := s.finish(srv); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// take puts one object in its place. Owners come before what they own.
func (s *Service) take(out *servers, ownerOf map[string]*server, o object) error {
	switch o.Kind {
	case kindServer:
		srv := &server{scopes: map[string]*Scope{}, rules: map[string][]Rule{}}
		if err := json.Unmarshal(o.Body, &srv.Server); err != nil {
			return err
		}
		srv.Issuer = s.issuer(srv.ID)
		out.byID[srv.ID] = srv
		out.ordered = append(out.ordered, srv)
	case kindScope:
		return decodeInto(o.Body, &out.byID[o.Parent].scopeList)
	case kindClaim:
		var v Claim
		if err := json.Unmarshal(o.Body, &v); err != nil {
			return err
		}
		compiled, err := s.compileClaim(v)
		if err != nil { // it compiled when it was saved; its attribute has gone since
			compiled.fault = err
		}
		srv := out.byID[o.Parent]
		srv.claims = append(srv.claims, compiled)
	case kindPolicy:
		ownerOf[o.ID] = out.byID[o.Parent]
		return decodeInto(o.Body, &out.byID[o.Parent].policyList)
	case kindRule:
		rules := ownerOf[o.Parent].rules[o.Parent]
		err := decodeInto(o.Body, &rules)
		ownerOf[o.Parent].rules[o.Parent] = rules
		return err
	}
	return nil
}

func decodeInto[T any](body []byte, list *[]T) error {
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	*list = append(*list, v)
	return nil
}

// finish compiles what depends on the whole server.
func (s *Service) finish(srv *server) error {
	for i := range srv.scopeList {
		srv.scopes[srv.scopeList[i].Name] = &srv.scopeList[i]
	}
	var ps []policy.Policy
	for _, p := range srv.policyList {
		compiled := policy.Policy{ID: p.ID, Name: p.Name, Priority: p.Priority, Status: p.Status, Clients: p.Conditions.Clients.Include}
		for _, r := range srv.rules[p.ID] {
			compiled.Rules = append(compiled.Rules, r.compiled())
		}
		ps = append(ps, compiled)
	}
	srv.policies = policy.Compile(ps)
	srv.provider = s.newProvider(srv)
	var err error
	srv.metadata, err = json.Marshal(s.discovery(srv))
	return err
}

// ensureServers makes the org and default servers at the first start.
func (s *Service) ensureServers(ctx context.Context) error {
	all, err := s.servers.Get(ctx)
	if err != nil {
		return err
	}
	for _, serverID := range []string{OrgServer, DefaultServer} {
		if all.byID[serverID] != nil {
			continue
		}
		err := s.firstServer(ctx, serverID)
		if errors.Is(err, ErrConflict) { // another node was first
			err = s.DB.Write(ctx, s.servers.Bump)
		}
		if err != nil {
			return fmt.Errorf("make %s authorization server: %w", serverID, err)
		}
	}
	return nil
}

func (s *Service) firstServer(ctx context.Context, serverID string) error {
	keys, err := newKeyPair(es256)
	if err != nil {
		return err
	}
	now := Time{s.now()}
	v := Server{ID: serverID, Name: serverID, IssuerMode: "ORG_URL", Status: Active, Created: now, LastUpdated: now}
	scopes := orgScopes
	if serverID == DefaultServer {
		v.Description, v.Default = "Default authorization server", true
		v.Audiences, scopes = []string{"api://default"}, customScopes
	}
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := s.insertServer(tx, v, scopes, keys); err != nil {
			return err
		}
		if serverID == DefaultServer {
			if err := insertFirstPolicy(tx, v); err != nil {
				return err
			}
		}
		return s.servers.Bump(tx)
	})
}

// insertFirstPolicy: all clients, the grants that are enabled, everyone, all scopes.
func insertFirstPolicy(tx *sqldb.Tx, v Server) error {
	p := Policy{
		ID: id.NewAt(id.AccessPolicy, v.Created.Time), Name: "Default Policy", Description: "Default policy",
		Priority: 1, Created: v.Created, LastUpdated: v.Created,
		Conditions: PolicyConditions{Clients: Include{Include: []string{policy.AllClients}}},
	}
	r := Rule{
		ID: id.NewAt(id.Rule, v.Created.Time), Name: "Default Policy Rule", Priority: 1, Created: v.Created, LastUpdated: v.Created,
		Conditions: RuleConditions{
			People:     RulePeople{Groups: policy.Set{Include: []string{policy.Everyone}}},
			GrantTypes: Include{Include: slices.Clone(ruleGrantTypes)},
			Scopes:     Include{Include: []string{policy.AllScopes}},
		},
	}
	if err := errors.Join(p.normalize(), r.normalize()); err != nil {
		return err
	}
	if err := insertObject(tx, p.object(v.ID), p); err != nil {
		return err
	}
	return insertObject(tx, r.object(p.ID), r)
}
