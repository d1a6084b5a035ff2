package directory

import (
	"errors"
	"slices"
	"time"
)

// Features of an app: what flows to it and from it.
const (
	PushNewUsers         = "PUSH_NEW_USERS"
	PushProfileUpdates   = "PUSH_PROFILE_UPDATES"
	PushUserDeactivation = "PUSH_USER_DEACTIVATION"
	ReactivateUsers      = "REACTIVATE_USERS"
	PushPasswordUpdates  = "PUSH_PASSWORD_UPDATES"
	GroupPush            = "GROUP_PUSH"
	ImportNewUsers       = "IMPORT_NEW_USERS"
	ImportProfileUpdates = "IMPORT_PROFILE_UPDATES"
	ImportGroups         = "IMPORT_GROUPS"
	ProfileMastering     = "PROFILE_MASTERING"
)

// Statuses of an app.
const (
	AppActive   = "ACTIVE"
	AppInactive = "INACTIVE"
)

// Errors of apps, assignments and mappings.
var (
	// ErrAssigned is returned for an assignment that exists (E0000062).
	ErrAssigned = errors.New("user is already assigned to the app")
	// ErrInactiveUser is returned for an assignment of a user that is not active (E0000117).
	ErrInactiveUser = errors.New("user is not active")
	// ErrLabel is returned for a label that another app has (E0000040).
	ErrLabel = errors.New("label is used by another app")
)

// ErrAppActive is returned for the deletion of an app that is active.
var ErrAppActive = errors.New("the app must be deactivated first")

// InvalidError says which field of an app or mapping is not acceptable, and why.
type InvalidError struct{ Field, Reason string }

// Error names the field.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

// App is a SaaS application or an LDAP directory that people have accounts in.
type App struct {
	ID       string
	Name     string // the kind: "ldap", "scim2"
	Label    string // unique, 1 to 100 characters
	Status   string // AppActive or AppInactive
	Features []string
	// Settings as they were given, the secrets of settings.app left out.
	Settings map[string]any
	Created  time.Time
	Modified time.Time
	Version  int64
}

// Has reports whether the app has a feature.
func (a *App) Has(feature string) bool { return slices.Contains(a.Features, feature) }

// Features lists the features that an app may have.
func Features() []string {
	return []string{
		GroupPush, ImportGroups, ImportNewUsers, ImportProfileUpdates, ProfileMastering,
		PushNewUsers, PushPasswordUpdates, PushProfileUpdates, PushUserDeactivation, ReactivateUsers,
	}
}

// pushes reports whether anything flows to the app.
func (a *App) pushes() bool {
	return slices.ContainsFunc([]string{PushNewUsers, PushProfileUpdates, PushUserDeactivation, ReactivateUsers, GroupPush}, a.Has)
}
