package authserver

import (
	"context"
	"errors"
	"regexp"
	"slices"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas/expr"
)

// Values of Claim.ClaimType, Claim.ValueType and Claim.GroupFilterType.
const (
	ClaimAccess   = "RESOURCE"
	ClaimIdentity = "IDENTITY"

	ValueExpression = "EXPRESSION"
	ValueGroups     = "GROUPS"
	ValueSystem     = "SYSTEM"

	FilterStartsWith = "STARTS_WITH"
	FilterEquals     = "EQUALS"
	FilterContains   = "CONTAINS"
	FilterRegex      = "REGEX"
)

// Claim is a claim of an authorization server as the management API shows it.
type Claim struct {
	ID                   string          `json:"id"`
	Name                 string          `json:"name"`
	Status               string          `json:"status"`
	ClaimType            string          `json:"claimType"`
	ValueType            string          `json:"valueType"`
	Value                string          `json:"value"`
	GroupFilterType      string          `json:"group_filter_type,omitempty"`
	Conditions           ClaimConditions `json:"conditions"`
	System               bool            `json:"system"`
	AlwaysIncludeInToken bool            `json:"alwaysIncludeInToken"`
}

// ClaimConditions say when a claim appears: always when Scopes is empty, else when
// one of them is granted.
type ClaimConditions struct {
	Scopes []string `json:"scopes"`
}

// subjectClaim is the system claim of every access token.
var subjectClaim = Claim{
	Name: "sub", Status: Active, ClaimType: ClaimAccess, ValueType: ValueSystem, System: true, AlwaysIncludeInToken: true,
	Value: "(appuser != null) ? appuser.userName : app.clientId", Conditions: ClaimConditions{Scopes: []string{}},
}

// reservedClaims are made by the server and by nobody else.
var reservedClaims = []string{
	"acr", "amr", "at_hash", "aud", "auth_time", "c_hash", "cid", "client_id", "cnf", "exp", "iat", "idp", "iss", "jti",
	"nbf", "nonce", "scope", "scp", "sid", "sub", "token_type", "uid", "username", "ver",
}

func (v *Claim) object(serverID string) object {
	return object{ID: v.ID, Kind: kindClaim, Parent: serverID, Name: v.ClaimType + "/" + v.Name}
}

func (s *Service) normalizeClaim(v *Claim) error {
	if v.Status == "" {
		v.Status = Active
	}
	if v.Conditions.Scopes == nil {
		v.Conditions.Scopes = []string{}
	}
	switch {
	case v.Name == "" || len(v.Name) > 255:
		return invalid("name", "must have 1 to 255 characters")
	case slices.Contains(reservedClaims, v.Name):
		return invalid("name", "%s is reserved", v.Name)
	case v.Status != Active && v.Status != Inactive:
		return invalid("status", "must be ACTIVE or INACTIVE")
	case v.ClaimType != ClaimAccess && v.ClaimType != ClaimIdentity:
		return invalid("claimType", "must be RESOURCE or IDENTITY")
	case v.ValueType != ValueExpression && v.ValueType != ValueGroups:
		return invalid("valueType", "must be EXPRESSION or GROUPS")
	}
	_, err := s.compileClaim(*v)
	return err
}

// claimEnv declares what a claim expression may name. Where no person is behind a
// token, user is there with every attribute unset.
func (s *Service) claimEnv() expr.Env {
	user := expr.Object{Open: true}
	if s.Profile != nil {
		user = s.Profile()
		user.NonNull = nil
	}
	return expr.Env{
		Objects: map[string]expr.Object{
			"user":    user,
			"appuser": {Attributes: map[string]expr.Type{"userName": expr.String}, Nullable: true},
			"app":     {Attributes: map[string]expr.Type{"clientId": expr.String, "name": expr.String}, NonNull: []string{"clientId", "name"}},
			"access":  {Attributes: map[string]expr.Type{"scope": expr.Strings}, NonNull: []string{"scope"}},
		},
		Values: map[string]expr.Type{"groups": expr.Strings},
	}
}

// compiledClaim is a claim ready to be evaluated.
type compiledClaim struct {
	Claim
	program *expr.Program  // ValueExpression
	pattern *regexp.Regexp // FilterRegex
	fault   error          // it no longer compiles: no token that needs it is issued
}

func (s *Service) compileClaim(v Claim) (compiledClaim, error) {
	out := compiledClaim{Claim: v}
	var err error
	switch {
	case v.ValueType == ValueExpression:
		out.program, err = expr.Compile(v.Value, s.claimEnv())
	case v.ValueType == ValueGroups && v.GroupFilterType == FilterRegex:
		out.pattern, err = regexp.Compile(v.Value)
	case v.ValueType == ValueGroups && !slices.Contains([]string{FilterStartsWith, FilterEquals, FilterContains}, v.GroupFilterType):
		return out, invalid("group_filter_type", "must be STARTS_WITH, EQUALS, CONTAINS or REGEX")
	}
	var fault *expr.Error
	if errors.As(err, &fault) || err != nil && v.GroupFilterType == FilterRegex {
		return out, invalid("value", "%v", err)
	}
	return out, err
}

// Claims lists the claims of a custom server.
func (s *Service) Claims(ctx context.Context, serverID string) ([]Claim, error) {
	srv, err := s.custom(ctx, serverID)
	if err != nil {
		return nil, err
	}
	out := make([]Claim, len(srv.claims))
	for i, c := range srv.claims {
		out[i] = c.Claim
	}
	return out, nil
}

// Claim returns one claim, or ErrNotFound.
func (s *Service) Claim(ctx context.Context, serverID, claimID string) (Claim, error) {
	all, err := s.Claims(ctx, serverID)
	return find(all, err, func(v Claim) bool { return v.ID == claimID })
}

// CreateClaim adds a claim. Its expression is checked now.
func (s *Service) CreateClaim(ctx context.Context, c Change, serverID string, v Claim) (Claim, error) {
	if err := s.normalizeClaim(&v); err != nil {
		return Claim{}, err
	}
	if _, err := s.custom(ctx, serverID); err != nil {
		return Claim{}, err
	}
	v.ID, v.System = id.NewAt(id.Claim, s.now()), false
	err := s.change(ctx, c, "oauth2.claim.created", v.target(), func(tx *sqldb.Tx) error {
		return insertObject(tx, v.object(serverID), v)
	})
	return v, err
}

// UpdateClaim replaces a claim that is not a system claim.
func (s *Service) UpdateClaim(ctx context.Context, c Change, serverID, claimID string, v Claim) (Claim, error) {
	if err := s.normalizeClaim(&v); err != nil {
		return Claim{}, err
	}
	v.ID, v.System = claimID, false
	err := s.change(ctx, c, "oauth2.claim.updated", v.target(), func(tx *sqldb.Tx) error {
		old, _, err := objectTx[Claim](tx, kindClaim, serverID, claimID)
		if err != nil {
			return err
		}
		if old.System {
			return ErrSystem
		}
		return updateObject(tx, v.object(serverID), v)
	})
	return v, err
}

// DeleteClaim removes a claim that is not a system claim.
func (s *Service) DeleteClaim(ctx context.Context, c Change, serverID, claimID string) error {
	return s.change(ctx, c, "oauth2.claim.deleted", events.Target{ID: claimID, Type: "Claim"}, func(tx *sqldb.Tx) error {
		old, _, err := objectTx[Claim](tx, kindClaim, serverID, claimID)
		if err != nil {
			return err
		}
		if old.System {
			return ErrSystem
		}
		return deleteObject(tx, kindClaim, claimID)
	})
}

func (v *Claim) target() events.Target { return events.Target{ID: v.ID, Type: "Claim", Name: v.Name} }
