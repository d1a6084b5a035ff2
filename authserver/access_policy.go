package authserver

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/provost-id/provost/authserver/policy"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
)

const policyType = "OAUTH_AUTHORIZATION_POLICY"

// Policy is an access policy as the management API shows it.
type Policy struct {
	ID          string           `json:"id"`
	Type        string           `json:"type"`
	Name        string           `json:"name"`
	Description string           `json:"description"`
	Priority    int              `json:"priority"`
	Status      string           `json:"status"`
	System      bool             `json:"system"`
	Conditions  PolicyConditions `json:"conditions"`
	Created     Time             `json:"created"`
	LastUpdated Time             `json:"lastUpdated"`
}

// PolicyConditions say for which clients a policy is.
type PolicyConditions struct {
	Clients Include `json:"clients"`
}

// Include is a condition that lists what it is for.
type Include struct {
	Include []string `json:"include"`
}

func (v *Policy) normalize() error {
	if v.Type == "" {
		v.Type = policyType
	}
	if v.Status == "" {
		v.Status = Active
	}
	if v.Conditions.Clients.Include == nil {
		v.Conditions.Clients.Include = []string{}
	}
	switch {
	case v.Type != policyType:
		return invalid("type", "must be "+policyType)
	case v.Name == "" || utf8.RuneCountInString(v.Name) > 100:
		return invalid("name", "must have 1 to 100 characters")
	case utf8.RuneCountInString(v.Description) > 255:
		return invalid("description", "must have at most 255 characters")
	case v.Status != Active && v.Status != Inactive:
		return invalid("status", "must be ACTIVE or INACTIVE")
	case len(v.Conditions.Clients.Include) > 1 && slices.Contains(v.Conditions.Clients.Include, policy.AllClients):
		return invalid("conditions.clients.include", "ALL_CLIENTS stands alone")
	}
	return nil
}

func (v *Policy) object(serverID string) object {
	return object{ID: v.ID, Kind: kindPolicy, Parent: serverID, Name: v.Name, Rank: int64(v.Priority)}
}

func (v *Policy) target() events.Target {
	return events.Target{ID: v.ID, Type: "Policy", Name: v.Name}
}

// Policies lists the access policies of a custom server by priority.
func (s *Service) Policies(ctx context.Context, serverID string) ([]Policy, error) {
	srv, err := s.custom(ctx, serverID)
	if err != nil {
		return nil, err
	}
	return srv.policyList, nil
}

// Policy returns one policy, or ErrNotFound.
func (s *Service) Policy(ctx context.Context, serverID, policyID string) (Policy, error) {
	all, err := s.Policies(ctx, serverID)
	return find(all, err, func(v Policy) bool { return v.ID == policyID })
}

// CreatePolicy adds a policy: last, unless it says at which priority.
func (s *Service) CreatePolicy(ctx context.Context, c Change, serverID string, v Policy) (Policy, error) {
	if err := v.normalize(); err != nil {
		return Policy{}, err
	}
	if _, err := s.custom(ctx, serverID); err != nil {
		return Policy{}, err
	}
	now := s.now()
	v.ID, v.System, v.Created, v.LastUpdated = id.NewAt(id.AccessPolicy, now), false, Time{now}, Time{now}
	wanted := v.Priority
	err := s.change(ctx, c, "policy.lifecycle.create", v.target(), func(tx *sqldb.Tx) error {
		v.Priority = wanted
		return placed(tx, kindPolicy, serverID, v.ID, &v.Priority, func() error {
			return insertObject(tx, v.object(serverID), v)
		})
	})
	return v, err
}

// UpdatePolicy replaces a policy, and moves it when its priority is another.
func (s *Service) UpdatePolicy(ctx context.Context, c Change, serverID, policyID string, v Policy) (Policy, error) {
	if err := v.normalize(); err != nil {
		return Policy{}, err
	}
	wanted := v.Priority
	v.ID = policyID
	err := s.change(ctx, c, "policy.lifecycle.update", v.target(), func(tx *sqldb.Tx) error {
		old, _, err := objectTx[Policy](tx, kindPolicy, serverID, policyID)
		if err != nil {
			return err
		}
		v.Priority, v.System, v.Created, v.LastUpdated = wanted, old.System, old.Created, Time{s.now()}
		if v.Priority == 0 {
			v.Priority = int(old.Priority)
		}
		return placed(tx, kindPolicy, serverID, policyID, &v.Priority, func() error {
			return updateObject(tx, v.object(serverID), v)
		})
	})
	return v, err
}

// SetPolicyStatus activates or deactivates a policy.
func (s *Service) SetPolicyStatus(ctx context.Context, c Change, serverID, policyID, status string) error {
	target := events.Target{ID: policyID, Type: "Policy"}
	return s.change(ctx, c, "policy.lifecycle."+verb(status), target, func(tx *sqldb.Tx) error {
		v, o, err := objectTx[Policy](tx, kindPolicy, serverID, policyID)
		if err != nil {
			return err
		}
		v.Status, v.LastUpdated = status, Time{s.now()}
		return updateObject(tx, o, v)
	})
}

// DeletePolicy removes a policy with its rules.
func (s *Service) DeletePolicy(ctx context.Context, c Change, serverID, policyID string) error {
	target := events.Target{ID: policyID, Type: "Policy"}
	return s.change(ctx, c, "policy.lifecycle.delete", target, func(tx *sqldb.Tx) error {
		if _, _, err := objectTx[Policy](tx, kindPolicy, serverID, policyID); err != nil {
			return err
		}
		return deleteObject(tx, kindPolicy, policyID)
	})
}

func verb(status string) string {
	if status == Active {
		return "activate"
	}
	return "deactivate"
}
