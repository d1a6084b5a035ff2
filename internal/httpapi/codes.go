package httpapi

import "net/http"

// Error codes of the management API.
const (
	EValidation      = "E0000001" // 400 a value is not valid, or a precondition does not hold
	EInvalidRequest  = "E0000002" // 400
	EMalformed       = "E0000003" // 400 the body is not JSON
	EAuthentication  = "E0000004" // 401
	EInvalidSession  = "E0000005" // 403
	EForbidden       = "E0000006" // 403
	ENotFound        = "E0000007" // 404 no such object
	ENoPath          = "E0000008" // 404 no such path
	EInternal        = "E0000009" // 500
	EInvalidToken    = "E0000011" // 401
	ECredentials     = "E0000014" // 403 a change of credentials is refused
	EAlreadyActive   = "E0000016" // 403
	EPasswordReset   = "E0000017" // 403
	EMediaType       = "E0000021" // 400 Accept or Content-Type
	EMethod          = "E0000022" // 405
	EMastered        = "E0000023" // 403 the profile is owned by another system
	EMissing         = "E0000028" // 400 a required parameter is missing
	EPaging          = "E0000029" // 400
	EDate            = "E0000030" // 400
	ESearch          = "E0000031" // 400 the search expression is not valid
	EUnlock          = "E0000032" // 403
	ESearchAndFilter = "E0000033" // 400
	EType            = "E0000037" // 400 a value is of the wrong type
	EUserStatus      = "E0000038" // 403 not allowed in the user's status
	ELabel           = "E0000040" // 400 another app has the label
	ECredScheme      = "E0000041" // 400
	EMapping         = "E0000045" // 400 a mapping is not valid
	ERateLimit       = "E0000047" // 429
	EFilter          = "E0000053" // 400 the SCIM filter is not valid
	EDuplicateGroup  = "E0000055" // 409
	EAccessDenied    = "E0000057" // 403 by policy
	EUnsupported     = "E0000060" // 501
	EAssigned        = "E0000062" // 409 the user is assigned already
	EPasswordExpired = "E0000064" // 401
	ELockedOut       = "E0000069" // 403
	EPushed          = "E0000075" // 403 the attribute is owned by a mapping that pushes
	EAppMastered     = "E0000076" // 405 the app user is owned by the app
	EReadOnlyAttr    = "E0000077" // 403
	EImmutableAttr   = "E0000078" // 403
	EPasswordPolicy  = "E0000080" // 403
	ETooMany         = "E0000093" // 400
	ENoFilter        = "E0000094" // 400
	ELink            = "E0000127" // 409 a definition of linked objects is not valid
	EDuplicate       = "E0000108" // 409
	EReadOnly        = "E0000111" // 403 the object is read-only
	EInactiveUser    = "E0000117" // 403
	ENotAcceptable   = "E0000122" // 406
	EEnum            = "E0000123" // 400 enum and oneOf differ
	EUserType        = "E0000142" // 403 the user type cannot be deleted
	EHookConnection  = "E0000134" // 502
	EHookError       = "E0000135" // 400
	EHookTimeout     = "E0000137" // 504
	EConflict        = "E0000195" // 409
	EETag            = "E0000231" // 412
)

// tooLarge has no code of its own in the contract: the body could not be read.
func tooLarge() *Error {
	return New(http.StatusRequestEntityTooLarge, EMalformed, "The request body is larger than allowed.")
}

func noPath() *Error {
	return New(http.StatusNotFound, ENoPath, "The requested path was not found")
}

func noMethod() *Error {
	return New(http.StatusMethodNotAllowed, EMethod, "The endpoint does not support the provided HTTP method")
}
