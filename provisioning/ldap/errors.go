package ldap

import (
	"errors"
	"regexp"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// kinds sorts the result codes (RFC 4511, appendix A) by what is to be done about them.
var kinds = map[uint16]error{
	goldap.LDAPResultTimeLimitExceeded:      provisioning.ErrTransient,
	goldap.LDAPResultBusy:                   provisioning.ErrTransient,
	goldap.LDAPResultUnavailable:            provisioning.ErrTransient,
	goldap.LDAPResultOther:                  provisioning.ErrTransient,
	goldap.LDAPResultOperationsError:        provisioning.ErrTransient,
	goldap.LDAPResultSizeLimitExceeded:      provisioning.ErrTruncated,
	goldap.LDAPResultAdminLimitExceeded:     provisioning.ErrTruncated,
	goldap.LDAPResultNoSuchObject:           provisioning.ErrNotFound,
	goldap.LDAPResultEntryAlreadyExists:     provisioning.ErrConflict,
	goldap.LDAPResultNoSuchAttribute:        provisioning.ErrConflict,
	goldap.LDAPResultAttributeOrValueExists: provisioning.ErrConflict,
	goldap.LDAPResultAssertionFailed:        provisioning.ErrConflict,

	goldap.LDAPResultStrongAuthRequired:          provisioning.ErrDenied,
	goldap.LDAPResultConfidentialityRequired:     provisioning.ErrDenied,
	goldap.LDAPResultInappropriateAuthentication: provisioning.ErrDenied,
	goldap.LDAPResultInvalidCredentials:          provisioning.ErrDenied,
	goldap.LDAPResultInsufficientAccessRights:    provisioning.ErrDenied,
	goldap.LDAPResultSyncRefreshRequired:         provisioning.ErrCursorLost,
}

// fail makes an error of go-ldap ours.
func fail(op string, err error) error {
	var ours *provisioning.Error
	if err == nil || errors.As(err, &ours) {
		return err
	}
	e := &provisioning.Error{Op: op, Err: err, Kind: provisioning.ErrTransient}
	var le *goldap.Error
	if broken(err) || !errors.As(err, &le) {
		return e
	}
	words := errorText(le.Err)
	e.Status, e.Err = int(le.ResultCode), nil
	e.Body = provisioning.Words(goldap.LDAPResultCodeMap[le.ResultCode] + ": " + words)
	e.Kind = kinds[le.ResultCode]
	if le.ResultCode == goldap.LDAPResultReferral {
		e.Body = provisioning.Words("a referral, which is not followed: " + words)
	}
	if e.Kind == nil {
		e.Kind, e.Attr = provisioning.ErrInvalid, attributeIn(words)
	}
	return e
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// broken says that the connection, or our patience, ended a request, and not an answer of the server.
func broken(err error) bool {
	if err == nil {
		return false
	}
	var ours *provisioning.Error
	if errors.As(err, &ours) {
		return broken(ours.Err)
	}
	var le *goldap.Error
	if errors.As(err, &le) {
		return le.ResultCode == goldap.ErrorNetwork || le.ResultCode == goldap.ErrorUnexpectedResponse
	}
	return true // go-ldap wraps errors of the socket, and of malformed answers, in plain ones
}

// attributePattern finds the attribute in what servers say: "object class 'x' requires attribute 'sn'", "mail: value #0 invalid".
var attributePattern = regexp.MustCompile(`attribute '([A-Za-z][A-Za-z0-9-]*)'|^([A-Za-z][A-Za-z0-9-]*): `)

func attributeIn(words string) string {
	m := attributePattern.FindStringSubmatch(words)
	if m == nil {
		return ""
	}
	return m[1] + m[2]
}

// isCode says whether an error of go-ldap or ours carries one of the result codes.
func isCode(err error, codes ...uint16) bool {
	var ours *provisioning.Error
	if errors.As(err, &ours) {
		for _, c := range codes {
			if ours.Status == int(c) {
				return true
			}
		}
		return false
	}
	return goldap.IsErrorAnyOf(err, codes...)
}
