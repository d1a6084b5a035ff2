package directory

import (
	"time"

	"github.com/provost-id/provost/schemas"
)

// User is one stored user. Doc is the canonical document as it stands in the
// database: reading decodes nothing.
type User struct {
	ID              string
	RID             int64 // row number, for index rows and cursors; never shown
	Version         int64
	Status          Status
	Created         time.Time
	Modified        time.Time
	StatusChanged   time.Time
	Activated       time.Time // zero for never
	LastLogin       time.Time // zero for never
	PasswordChanged time.Time // zero without a password
	PasswordExpires time.Time // set by CheckPassword when it is time to warn, else zero
	HasPassword     bool
	GroupsChanged   time.Time // zero for never; no change of the version
	ExternalID      string    // in the namespace of the client that asked
	Doc             []byte
	Groups          GroupsText // where a list was asked to read them
}

// Resource decodes the document.
func (d *Directory) Resource(u *User) (*schemas.Resource, error) {
	return d.userType().Decode(u.Doc)
}

// Profile is the flat view of the user: user.firstName and so on.
func (d *Directory) Profile(u *User) (map[string]any, error) {
	r, err := d.Resource(u)
	if err != nil {
		return nil, err
	}
	return r.Profile(), nil
}

// CreateOptions decide the first status of a user.
type CreateOptions struct {
	// Activate false leaves the user STAGED; nil follows the resource's active.
	Activate *bool
	// Status, when set, is the status to begin with, whatever else is said.
	Status Status
	// PasswordHash is a hash from HashPassword or EncodeHash. CreateUserTx takes a
	// password only in this form, since hashing has no place in a transaction.
	PasswordHash string
	// Groups are the IDs of groups that the user joins at once.
	Groups []string
	// Origin, when set, gives the user back what it had where it was exported.
	Origin *Origin
}

// NewUser makes the resource of a user out of a flat profile. A name that the profile
// does not have, or a value that is not valid, is a *schemas.Error.
func (d *Directory) NewUser(profile map[string]any, password string) (*schemas.Resource, error) {
	r, err := d.userType().FromProfile(profile)
	if err != nil {
		return nil, err
	}
	r.Password = password
	return r, nil
}
