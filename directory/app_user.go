package directory

import "time"

// Statuses of an app user.
const (
	AppUserStaged        = "STAGED"        // assigned, the account is still to be made
	AppUserProvisioned   = "PROVISIONED"   // we made the account
	AppUserActive        = "ACTIVE"        // imported, or signs in only
	AppUserSuspended     = "SUSPENDED"     // the app says that the account may not sign in
	AppUserDeprovisioned = "DEPROVISIONED" // the account is gone, or we turned it off
	AppUserUnassigned    = "UNASSIGNED"    // no longer assigned; kept for its link
)

// Sync states of an app user.
const (
	SyncDisabled     = "DISABLED"     // nothing is sent
	SyncError        = "ERROR"        // a task tells why
	SyncOutOfSync    = "OUT_OF_SYNC"  // a change waits to be sent
	SyncSyncing      = "SYNCING"      // it is being sent
	SyncSynchronized = "SYNCHRONIZED" // the app has what the mapping wants
)

// Scopes of an assignment.
const (
	ScopeUser   = "USER"   // assigned by itself
	ScopeGroup  = "GROUP"  // assigned through a group
	ScopeImport = "IMPORT" // an import brought the account; shown as USER
)

// AppUser is a user's account at an app.
type AppUser struct {
	AppID  string
	UserID string
	// ExternalID is the app's own immutable identifier, "" until the account is made.
	ExternalID string
	RemoteName string // its address there: a DN, a userName
	Status     string
	SyncState  string
	Scope      string
	Assigned   bool
	// Creating says that a create was begun whose outcome is not known: the account is
	// looked for before another one is made.
	Creating bool
	// Profile is the account as the app was last seen to have it, by the names of the
	// app's profile.
	Profile map[string]any
	// Shadow is the same by the app's own attribute names, with all values.
	Shadow map[string][]string
	// Applied is what our mapping last wanted and the app has taken, or was found with.
	Applied       map[string]any
	RemoteVersion string
	RemoteActive  bool
	Hash          string // of the account as an import last read it
	LastSync      time.Time
	StatusChanged time.Time
	Created       time.Time
	Modified      time.Time
}
