package federation

import (
	"errors"
	"time"
)

// Errors of the provider store.
var (
	ErrNotFound = errors.New("identity provider not found")
	ErrNoLink   = errors.New("user is not linked to this identity provider")
	ErrConflict = errors.New("already exists")
)

// Invalid is a configuration that cannot stand, and the field that is at fault.
type Invalid struct{ Field, Reason string }

// Error implements error.
func (e *Invalid) Error() string { return e.Field + ": " + e.Reason }

// Status of an identity provider.
const (
	Active   = "ACTIVE"
	Inactive = "INACTIVE"
)

// TypeOIDC is the one type of provider so far: any OpenID Connect provider.
const TypeOIDC = "OIDC"

// The words of a policy.
const (
	Auto     = "AUTO"
	Disabled = "DISABLED"
	None     = "NONE"
	Assign   = "ASSIGN"
	Append   = "APPEND"
	Sync     = "SYNC"

	Reactivate = "REACTIVATE"
	Unsuspend  = "UNSUSPEND"

	MatchUsername        = "USERNAME"
	MatchEmail           = "EMAIL"
	MatchUsernameOrEmail = "USERNAME_OR_EMAIL"
)

// IdP is an identity provider as an administrator configured it.
type IdP struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	Status  string    `json:"status"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"lastUpdated"`
	Config
}

// Config is the part of a provider that is stored as one document.
type Config struct {
	IssuerMode string     `json:"issuerMode,omitempty"`
	Protocol   Protocol   `json:"protocol"`
	Policy     Policy     `json:"policy"`
	Properties Properties `json:"properties,omitzero"`
}

// Protocol says how to speak with the provider.
type Protocol struct {
	Type        string              `json:"type"` // OIDC
	Endpoints   map[string]Endpoint `json:"endpoints,omitempty"`
	Scopes      []string            `json:"scopes,omitempty"`
	Issuer      Issuer              `json:"issuer"`
	Credentials Credentials         `json:"credentials"`
}

// Endpoint is one address of the provider. Those that are absent are discovered.
type Endpoint struct {
	URL     string `json:"url"`
	Binding string `json:"binding,omitempty"`
}

// Issuer is the identifier of the provider (OpenID Connect Core 1.0, section 2).
type Issuer struct {
	URL string `json:"url"`
}

// Credentials of ours at the provider.
type Credentials struct {
	Client ClientCredentials `json:"client"`
}

// ClientCredentials are our client there. Secret is only ever read from a request:
// it is stored sealed, apart from the document, and never shown.
type ClientCredentials struct {
	ClientID     string `json:"client_id"`
	Secret       string `json:"client_secret,omitempty"`
	AuthMethod   string `json:"token_endpoint_auth_method,omitempty"` // client_secret_basic, client_secret_post or none
	PKCERequired bool   `json:"pkce_required"`                        // always true: S256 is always sent
}

// Policy says what a sign-in through the provider may do. The zero value lets in
// those that are linked and nobody else.
type Policy struct {
	Provisioning Provisioning `json:"provisioning"`
	AccountLink  AccountLink  `json:"accountLink"`
	Subject      Subject      `json:"subject"`
	MaxClockSkew int64        `json:"maxClockSkew"` // milliseconds
	TrustClaims  bool         `json:"trustClaims,omitempty"`
	MapAMRClaims bool         `json:"mapAMRClaims,omitempty"`
}

// Provisioning says whether users are made and kept up to date.
type Provisioning struct {
	Action        string     `json:"action"`
	ProfileMaster *bool      `json:"profileMaster,omitempty"` // absent means true: refresh at each sign-in
	Groups        Groups     `json:"groups"`
	Conditions    Conditions `json:"conditions"`
}

// Groups says what a sign-in does to the memberships of a user. Only directory
// groups are touched.
type Groups struct {
	Action              string   `json:"action"`
	Assignments         []string `json:"assignments,omitempty"`         // ASSIGN: group IDs
	SourceAttributeName string   `json:"sourceAttributeName,omitempty"` // APPEND, SYNC: a claim that lists group names
	Filter              []string `json:"filter,omitempty"`              // APPEND, SYNC: the group IDs that may be touched
}

// Conditions say what a sign-in does to a user who may not sign in.
type Conditions struct {
	Deprovisioned Condition `json:"deprovisioned"`
	Suspended     Condition `json:"suspended"`
}

// Condition is one of them.
type Condition struct {
	Action string `json:"action"`
}

// AccountLink says whether a user who is there already is linked by what the
// provider says of them.
type AccountLink struct {
	Action string      `json:"action"`
	Filter *LinkFilter `json:"filter,omitempty"`
}

// LinkFilter narrows automatic linking.
type LinkFilter struct {
	Groups  *GroupFilter  `json:"groups,omitempty"`
	Users   *UserFilter   `json:"users,omitempty"`
	Domains *DomainFilter `json:"domains,omitempty"`
}

// GroupFilter links members of these groups alone.
type GroupFilter struct {
	Include []string `json:"include"`
}

// UserFilter keeps users out. Administrators are out unless ExcludeAdmins says false.
type UserFilter struct {
	Exclude       []string `json:"exclude,omitempty"`
	ExcludeAdmins *bool    `json:"excludeAdmins,omitempty"`
}

// DomainFilter names the e-mail domains that the provider is authoritative for.
type DomainFilter struct {
	Include []string `json:"include"`
}

// Subject says which user name an assertion stands for, and what it is compared with.
type Subject struct {
	UserNameTemplate Template `json:"userNameTemplate"`
	Filter           string   `json:"filter,omitempty"` // a regular expression that the whole name matches
	MatchType        string   `json:"matchType"`
}

// Template is an expression over idpuser.
type Template struct {
	Template string `json:"template"`
}

// Properties are settings of ours beside the contract's.
type Properties struct {
	Domains []string `json:"domains,omitempty"` // sign-in names that are led to this provider
}

// DefaultTemplate is the user name of an assertion when nothing else is said.
const DefaultTemplate = "idpuser.email"

// RefreshesProfile reports whether each sign-in refreshes the profile.
func (p Policy) RefreshesProfile() bool {
	return p.Provisioning.ProfileMaster == nil || *p.Provisioning.ProfileMaster
}
