package directory

import (
	"errors"
	"fmt"

	"github.com/provost-id/provost/schemas"
)

var (
	// ErrNotFound is returned for an ID that names no resource of the wanted type.
	ErrNotFound = errors.New("not found")
	// ErrConflict is wrapped by a Conflict.
	ErrConflict = errors.New("an object with this value already exists")
	// ErrVersion is returned when the resource has another version than the caller expects.
	ErrVersion = errors.New("the resource has been changed")
	// ErrTransition is wrapped by a TransitionError.
	ErrTransition = errors.New("this operation is not allowed in the user's current status")
	// ErrCredentials is returned for everything that is not the password of a user who
	// may sign in. It never tells which.
	ErrCredentials = errors.New("invalid credentials")
	// ErrPasswordExpired is the ErrCredentials of a good password that must be changed first.
	ErrPasswordExpired = fmt.Errorf("%w: password expired", ErrCredentials)
	// ErrOwned is returned for a write to an attribute that is owned by another source.
	ErrOwned = errors.New("attribute is mastered under another system")
	// ErrProtected is returned for a change of a built-in group that the caller may not make.
	ErrProtected = errors.New("built-in group")
)

// Conflict is a value that must be unique and is taken.
type Conflict struct {
	Type string // "User" or "Group"
	Attr string // SCIM path of the attribute, "userName"
}

// Error names the attribute, never the value or its owner.
func (e *Conflict) Error() string {
	return fmt.Sprintf("%s: an object with this field already exists", e.Attr)
}

// Unwrap makes the error an ErrConflict.
func (e *Conflict) Unwrap() error { return ErrConflict }

// MutabilityError is a write to an attribute that the source of the change may not write.
type MutabilityError struct {
	Attr       string // of the profile
	Mutability string // schemas.ReadOnly or schemas.Immutable
}

// Error names the attribute.
func (e *MutabilityError) Error() string { return e.Attr + ": it is " + e.Mutability }

// Unwrap makes the error one of the schema.
func (e *MutabilityError) Unwrap() error {
	return &schemas.Error{ScimType: schemas.Mutability, Path: e.Attr, Reason: "it is " + e.Mutability}
}

// TransitionError is a lifecycle operation that the user's status does not allow.
type TransitionError struct {
	Op   LifecycleOp
	From Status
}

// Error names the operation and the status.
func (e *TransitionError) Error() string {
	return fmt.Sprintf("%s is not allowed for a user with status %s", e.Op, e.From)
}

// Unwrap makes the error an ErrTransition.
func (e *TransitionError) Unwrap() error { return ErrTransition }
