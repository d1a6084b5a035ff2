package manage

import (
	"context"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// userBody is a user as the contract shows it.
type userBody struct {
	ID              string         `json:"id"`
	Status          string         `json:"status"`
	Created         *string        `json:"created"`
	Activated       *string        `json:"activated"`
	StatusChanged   *string        `json:"statusChanged"`
	LastLogin       *string        `json:"lastLogin"`
	LastUpdated     *string        `json:"lastUpdated"`
	PasswordChanged *string        `json:"passwordChanged"`
	Type            map[string]any `json:"type"`
	Profile         map[string]any `json:"profile"`
	Credentials     credentials    `json:"credentials"`
	Links           map[string]any `json:"_links"`
}

type credentials struct {
	Password *struct{} `json:"password,omitempty"` // {} when there is one
	Provider provider  `json:"provider"`
}

type provider struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

// always are the profile attributes shown as null when they have no value.
var always = []string{"firstName", "lastName", "mobilePhone", "secondEmail", "login", "email"}

func (h *handlers) userBody(ctx context.Context, u *directory.User, single bool) (userBody, error) {
	profile, err := h.dir.Profile(u)
	if err != nil {
		return userBody{}, err
	}
	for _, name := range always {
		if _, ok := profile[name]; !ok {
			profile[name] = nil
		}
	}
	b := userBody{
		ID: u.ID, Status: string(u.Status), Created: httpapi.Stamp(u.Created), Activated: httpapi.Stamp(u.Activated),
		StatusChanged: httpapi.Stamp(u.StatusChanged), LastLogin: httpapi.Stamp(u.LastLogin), LastUpdated: httpapi.Stamp(u.Modified),
		PasswordChanged: httpapi.Stamp(u.PasswordChanged), Type: map[string]any{"id": schemas.UserType}, Profile: profile,
		Credentials: credentials{Provider: provider{Type: "OKTA", Name: "OKTA"}},
		Links:       userLinks(ctx, u, single),
	}
	if u.HasPassword {
		b.Credentials.Password = &struct{}{}
	}
	return b, nil
}

// userLinks are self and, of a single user, the operations that its status allows.
func userLinks(ctx context.Context, u *directory.User, single bool) map[string]any {
	self := httpapi.PublicURL(ctx) + "/api/v1/users/" + u.ID
	links := map[string]any{"self": map[string]any{"href": self}}
	if !single {
		return links
	}
	for _, op := range directory.Allowed(u.Status) {
		links[linkNames[op]] = map[string]any{"href": self + "/lifecycle/" + string(op), "method": "POST"}
	}
	return links
}

var linkNames = map[directory.LifecycleOp]string{
	directory.Activate: "activate", directory.Reactivate: "reactivate", directory.Deactivate: "deactivate",
	directory.Suspend: "suspend", directory.Unsuspend: "unsuspend", directory.Unlock: "unlock",
	directory.ExpirePassword: "expirePassword", directory.ResetPassword: "resetPassword",
}

// userInput is what a client sends. Profile and credentials are maps, so that null and
// absent stay apart.
type userInput struct {
	Profile     map[string]any `json:"profile"`
	Credentials *struct {
		Password *passwordInput `json:"password"`
	} `json:"credentials"`
	GroupIDs []string `json:"groupIds"`
}

// passwordInput is one of the forms of a password (section 2.5).
type passwordInput struct {
	Value string              `json:"value"`
	Hash  *passwords.Imported `json:"hash"`
	Hook  any                 `json:"hook"`
}

func (in userInput) passwordInput() passwordInput {
	if in.Credentials == nil || in.Credentials.Password == nil {
		return passwordInput{}
	}
	return *in.Credentials.Password
}

// hash is the encoded form of a hashed password, empty for none.
func (h *handlers) hash(in passwordInput) (string, error) {
	switch {
	case in.Hook != nil:
		return "", httpapi.Invalid("password.hook", "password.hook: there is no password import hook; give value or hash")
	case in.Hash == nil:
		return "", nil
	case in.Value != "":
		return "", httpapi.Invalid("password.hash", "password.hash: give value or hash, not both")
	}
	encoded, err := h.dir.EncodeHash(*in.Hash)
	return encoded, apiError(err, "password.hash", "", "User")
}
