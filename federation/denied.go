package federation

import "net/http"

// Denied is a sign-in that was refused. Name and Description are the words of the
// contract, fit for the person; Code and Reason are for the system log.
type Denied struct {
	Status      int
	Name        string // access_denied or jit_failure...
	Code        string
	Description string
	Reason      string
}

// Error is the text of the system log.
func (d *Denied) Error() string {
	if d.Reason == "" {
		return d.Code
	}
	return d.Code + ": " + d.Reason
}

// failure is a row of the contract's table.
type failure struct{ code, description string }

var (
	jitDisabled     = failure{"jit_disabled", "User creation was disabled."}
	linkDisabled    = failure{"link_disabled", "User linking was disabled."}
	linkDeniedGroup = failure{"link_denied_group", "User linking was denied because the user is not in any of the specified groups."}
	linkDeniedUser  = failure{"link_denied_user", "User linking was denied because the user is not allowed by the account linking filters."}
	noMatch         = failure{"user_match_error", "Could not match the profile to a user."}
	badStatus       = failure{"invalid_user_status_error", "User status is invalid."}
	badName         = failure{"failed_username_transform", "Failed to generate username."}
	badTemplate     = failure{"failed_username_transform_invalid_expression", "Failed to generate username."}
	missedField     = failure{"failed_username_transform_missed_field", "Failed to generate username."}
	whitespace      = failure{"failed_username_transform_whitespaces_found", "Failed to generate username."}
	noIdP           = failure{"idp_disabled", "The identity provider is not active."}

	jitMissing  = failure{"jit_failure_missing_fields", "Unable to create the user. Required fields are missing."}
	jitPattern  = failure{"jit_failure_values_not_match_pattern", "Unable to create the user. Values do not match the required pattern."}
	jitBadLogin = failure{"jit_failure_invalid_login_format", "Unable to create the user. The login has not the required format."}
)

func denied(f failure, reason string) *Denied {
	return &Denied{Status: http.StatusForbidden, Name: "access_denied", Code: f.code, Description: f.description, Reason: reason}
}

// notCreated is a failure of the creation itself: it has an error name of its own.
func notCreated(f failure, reason string) *Denied {
	return &Denied{Status: http.StatusBadRequest, Name: f.code, Code: f.code, Description: f.description, Reason: reason}
}
