package manage

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// apiError turns an error of the domain into one of the API (section 1.1 of the
// contract). what names the input in a validation error, id and typ the object.
// What it does not know goes through, is logged by httpapi and shown as internal.
func apiError(err error, what, id, typ string) error {
	var conflict *directory.Conflict
	var invalid *schemas.Error
	var transition *directory.TransitionError
	var weak *passwords.Error
	var fixed *directory.MutabilityError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &fixed):
		return mutabilityError(fixed)
	case errors.As(err, &conflict):
		return conflictError(conflict)
	case errors.As(err, &weak):
		return passwordError(weak)
	case errors.As(err, &transition):
		return transitionError(transition)
	case errors.As(err, &invalid):
		return profileError(invalid, what)
	}
	return sentinelError(err, id, typ)
}

func sentinelError(err error, id, typ string) error {
	switch {
	case errors.Is(err, directory.ErrNotFound), errors.Is(err, apitoken.ErrNotFound):
		return httpapi.NotFound(id, typ)
	case errors.Is(err, directory.ErrOwned):
		return httpapi.New(http.StatusForbidden, httpapi.EMastered, "Operation failed because user profile is mastered under another system", err.Error())
	case errors.Is(err, directory.ErrProtected):
		return httpapi.New(http.StatusForbidden, httpapi.EReadOnly, "You cannot modify this object because it is built in")
	case errors.Is(err, directory.ErrVersion):
		return httpapi.New(http.StatusPreconditionFailed, httpapi.EETag, "The ETag does not match")
	case errors.Is(err, passwords.ErrBusy):
		return httpapi.New(http.StatusTooManyRequests, httpapi.ERateLimit, "Too many passwords are being checked; try again")
	case errors.Is(err, directory.ErrCredentials):
		return httpapi.New(http.StatusForbidden, httpapi.ECredentials, "Update of credentials failed", "oldPassword: Old Password is not correct")
	}
	return err
}

func conflictError(c *directory.Conflict) error {
	if c.Type == "Group" && c.Attr == "displayName" {
		return httpapi.New(http.StatusConflict, httpapi.EDuplicateGroup, "Duplicate group.", "name: An object with this field already exists in the current organization")
	}
	field := strings.TrimPrefix(strings.TrimPrefix(c.Attr, scim.OrgUser+":"), scim.OrgGroup+":")
	if field == "userName" {
		field = "login"
	}
	return httpapi.Invalid(field, field+": An object with this field already exists in the current organization")
}

func mutabilityError(e *directory.MutabilityError) error {
	if e.Mutability == schemas.Immutable {
		return httpapi.New(http.StatusForbidden, httpapi.EImmutableAttr, "The "+e.Attr+" attribute is immutable.", e.Error())
	}
	return httpapi.New(http.StatusForbidden, httpapi.EReadOnlyAttr, "The "+e.Attr+" attribute is read-only.", e.Error())
}

func transitionError(t *directory.TransitionError) error {
	switch t.Op {
	case directory.Suspend, directory.Unsuspend: // section 2.4: a broken precondition
		return httpapi.Invalid(string(t.Op), t.Error())
	case directory.Unlock:
		return httpapi.New(http.StatusForbidden, httpapi.EUnlock, "Unlock is not allowed for this user.", t.Error())
	case directory.Activate:
		return httpapi.New(http.StatusForbidden, httpapi.EAlreadyActive, "Activation failed because the user is already active", t.Error())
	}
	return httpapi.New(http.StatusForbidden, httpapi.EUserStatus, "This operation is not allowed in the user's current status.", t.Error())
}

// passwordError names the rule of the policy. What no policy could allow is an error
// of the value.
func passwordError(e *passwords.Error) error {
	if e.Rule == "" {
		return httpapi.Invalid("password", "password: Password requirements were not met: it "+e.Reason)
	}
	return httpapi.New(http.StatusForbidden, httpapi.EPasswordPolicy,
		"The password does not meet the complexity requirements of the current password policy.", "password: it "+e.Reason+" ("+e.Rule+")")
}

// profileError names the attribute.
func profileError(e *schemas.Error, what string) error {
	field := e.Path
	if field == "" {
		field = what
	}
	return httpapi.Invalid(field, field+": "+e.Reason)
}

// checkNames refuses a profile with a name that the type does not have, as an error of
// the whole object (section 2.2).
func (h *handlers) checkNames(typ, what string, profile map[string]any) error {
	t, ok := h.dir.Schemas().Type(typ)
	if !ok { // every schema has users and groups
		panic("schema has no resource type " + typ)
	}
	known := t.ProfileNames()
	for _, name := range slices.Sorted(maps.Keys(profile)) {
		if !slices.Contains(known, name) {
			return httpapi.Invalid(what, "Property name '"+name+"' is not defined in profile")
		}
	}
	return nil
}

// checkRequired refuses a user profile without the required base attributes (section
// 2.1). A merge names some attributes only: of those none may be emptied. SCIM and
// imports may store a user without a name, so this is no rule of the directory.
func (h *handlers) checkRequired(profile map[string]any, merge bool) error {
	t, _ := h.dir.Schemas().Type("User")
	for _, a := range t.Base() {
		v, named := profile[a.Name]
		if a.Required && (named || !merge) && (v == nil || v == "") {
			return httpapi.Invalid(a.Name, a.Name+": The field cannot be left blank")
		}
	}
	return nil
}
