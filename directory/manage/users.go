package manage

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/id"
)

type userOutput struct{ Body userBody }

func (h *handlers) show(ctx context.Context, u *directory.User) (*userOutput, error) {
	b, err := h.userBody(ctx, u, true)
	return &userOutput{Body: b}, err
}

// find returns a user by ID, "me", login or short name (section 2.3). A login that
// looks like an ID is no ID: the ID wins.
func (h *handlers) find(ctx context.Context, key string) (*directory.User, error) {
	if key == "me" {
		key = httpapi.Caller(ctx).UserID
	}
	u, err := h.dir.User(ctx, key)
	if errors.Is(err, directory.ErrNotFound) && !isUserID(key) {
		u, err = h.dir.UserByLogin(ctx, key)
	}
	if err != nil {
		return nil, apiError(err, "", key, "User")
	}
	return u, nil
}

func isUserID(s string) bool { return len(s) == len(id.User)+17 && strings.HasPrefix(s, id.User) }

type createUserInput struct {
	Activate  string `query:"activate" enum:"true,false" doc:"true when left out."`
	NextLogin string `query:"nextLogin" enum:"changePassword"`
	Body      userInput
}

func (h *handlers) createUser(ctx context.Context, in *createUserInput) (*userOutput, error) {
	activate := in.Activate != "false"
	o := directory.CreateOptions{Activate: &activate, Groups: in.Body.GroupIDs}
	if in.NextLogin == "changePassword" {
		if err := checkExpireOnCreate(in); err != nil {
			return nil, err
		}
		o.Status = directory.PasswordExpired
	}
	if err := h.checkNames("User", "newUser", in.Body.Profile); err != nil {
		return nil, err
	}
	if err := h.checkRequired(in.Body.Profile, false); err != nil {
		return nil, err
	}
	password := in.Body.passwordInput()
	var err error
	if o.PasswordHash, err = h.hash(password); err != nil {
		return nil, err
	}
	if err := h.dir.CheckWritable(change(ctx), "User", in.Body.Profile); err != nil {
		return nil, apiError(err, "newUser", "", "User")
	}
	r, err := h.dir.NewUser(in.Body.Profile, password.Value)
	if err != nil {
		return nil, apiError(err, "newUser", "", "User")
	}
	u, err := h.dir.CreateUser(ctx, change(ctx), r, o)
	if err != nil {
		return nil, apiError(err, "newUser", strings.Join(in.Body.GroupIDs, ", "), "UserGroup")
	}
	return h.show(ctx, u)
}

func checkExpireOnCreate(in *createUserInput) error {
	switch p := in.Body.passwordInput(); {
	case p.Value == "" && p.Hash == nil:
		return httpapi.New(http.StatusBadRequest, "E0000124", "Could not create user. To create a user and expire their password immediately, a password must be specified")
	case in.Activate == "false":
		return httpapi.New(http.StatusBadRequest, "E0000125", "Could not create user. To create a user and expire their password immediately, \"activate\" must be true")
	}
	return nil
}

func (h *handlers) readUser(ctx context.Context, in *httpapi.ByID) (*userOutput, error) {
	u, err := h.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return h.show(ctx, u)
}

type editUserInput struct {
	httpapi.ByID
	Strict bool `query:"strict" doc:"Hold a new password to the minimum age and the history too."`
	Body   userInput
}

// updateUser merges: null removes, absent keeps.
func (h *handlers) updateUser(ctx context.Context, in *editUserInput) (*userOutput, error) {
	return h.edit(ctx, in, false)
}

// replaceUser removes what the profile does not name.
func (h *handlers) replaceUser(ctx context.Context, in *editUserInput) (*userOutput, error) {
	if in.Body.Profile == nil {
		return nil, httpapi.Invalid("profile", "profile: The field cannot be left blank")
	}
	return h.edit(ctx, in, true)
}

func (h *handlers) edit(ctx context.Context, in *editUserInput, replace bool) (*userOutput, error) {
	u, err := h.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := h.checkNames("User", "updateUser", in.Body.Profile); err != nil {
		return nil, err
	}
	if err := h.checkRequired(in.Body.Profile, !replace); err != nil {
		return nil, err
	}
	password := in.Body.passwordInput()
	hash, err := h.hash(password)
	if err != nil {
		return nil, err
	}
	u, err = h.dir.EditUser(ctx, change(ctx), u.ID, nil, directory.ProfileEdit{
		Profile: in.Body.Profile, Replace: replace, Password: password.Value, PasswordHash: hash, Strict: in.Strict,
	})
	if err != nil {
		return nil, apiError(err, "updateUser", in.ID, "User")
	}
	return h.show(ctx, u)
}

// deleteUser deactivates first and deletes what is deactivated (section 2.4).
func (h *handlers) deleteUser(ctx context.Context, in *httpapi.ByID) (*empty, error) {
	u, err := h.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if u.Status == directory.Deprovisioned {
		return nil, apiError(h.dir.DeleteUser(ctx, change(ctx), u.ID, nil), "", in.ID, "User")
	}
	_, err = h.dir.SetStatus(ctx, change(ctx), u.ID, directory.Deactivate)
	return nil, apiError(err, "", in.ID, "User")
}

type lifecycleInput struct {
	httpapi.ByID
	Operation    string `path:"operation"`
	TempPassword bool   `query:"tempPassword"`
}

type anyOutput struct{ Body any }

// operations are the lifecycle operations; those that show the user afterwards are true.
var operations = map[string]bool{
	"activate": false, "reactivate": false, "deactivate": false, "suspend": false, "unsuspend": false,
	"unlock": false, "expire_password": true, "reset_password": false,
}

func (h *handlers) lifecycle(ctx context.Context, in *lifecycleInput) (*anyOutput, error) {
	shows, ok := operations[in.Operation]
	temporary := in.Operation == "expire_password_with_temp_password" || in.Operation == "expire_password" && in.TempPassword
	if !ok && !temporary {
		return nil, httpapi.New(http.StatusNotFound, httpapi.ENoPath, "The requested path was not found")
	}
	u, err := h.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if temporary {
		password, err := h.dir.ExpireToTemporary(ctx, change(ctx), u.ID)
		return &anyOutput{Body: map[string]any{"tempPassword": password}}, apiError(err, "", in.ID, "User")
	}
	u, err = h.dir.SetStatus(ctx, change(ctx), u.ID, directory.LifecycleOp(in.Operation))
	if err != nil {
		return nil, apiError(err, "", in.ID, "User")
	}
	if !shows {
		return &anyOutput{Body: map[string]any{}}, nil
	}
	b, err := h.userBody(ctx, u, true)
	return &anyOutput{Body: b}, err
}

type changePasswordInput struct {
	httpapi.ByID
	Strict bool `query:"strict" doc:"Hold the new password to the minimum age too."`
	Body   struct {
		OldPassword struct {
			Value string `json:"value"`
		} `json:"oldPassword"`
		NewPassword struct {
			Value string `json:"value"`
		} `json:"newPassword"`
	}
}

type credentialsOutput struct{ Body credentials }

func (h *handlers) changePassword(ctx context.Context, in *changePasswordInput) (*credentialsOutput, error) {
	u, err := h.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := h.dir.VerifyPassword(ctx, u, in.Body.OldPassword.Value); err != nil {
		return nil, apiError(err, "", in.ID, "User")
	}
	if err := h.dir.ChangePassword(ctx, change(ctx), u.ID, in.Body.NewPassword.Value, in.Strict); err != nil {
		return nil, apiError(err, "", in.ID, "User")
	}
	return &credentialsOutput{Body: credentials{Password: &struct{}{}, Provider: provider{Type: "OKTA", Name: "OKTA"}}}, nil
}

type whyInput struct {
	httpapi.ByID
	Attribute string `path:"attribute"`
}

// WhyBody says where a value comes from, as the management API and the command line do.
type WhyBody struct {
	Value          any        `json:"value"`
	Source         *WhySource `json:"source"`
	Mapping        *string    `json:"mapping"`
	MappingVersion *int64     `json:"mappingVersion"`
	Event          *string    `json:"event"`
	Time           *string    `json:"time"`
}

// WhySource is a kind of source; of an app or a file, with its ID and label.
type WhySource struct {
	Kind string `json:"kind"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// ShowWhy is the body of an explanation.
func ShowWhy(w *directory.Why) WhyBody {
	b := WhyBody{Value: w.Value, Mapping: notEmpty(w.Mapping), Event: notEmpty(w.Event), Time: httpapi.Stamp(w.Time)}
	if w.Source.Kind != "" {
		b.Source = &WhySource{Kind: w.Source.Kind, ID: w.Source.ID, Name: w.App}
	}
	if w.MappingVersion > 0 {
		b.MappingVersion = &w.MappingVersion
	}
	return b
}

func (h *handlers) why(ctx context.Context, in *whyInput) (*anyOutput, error) {
	u, err := h.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	w, err := h.dir.Why(ctx, u.ID, in.Attribute)
	if err != nil {
		return nil, apiError(err, "", in.Attribute, "Attribute")
	}
	return &anyOutput{Body: ShowWhy(w)}, nil
}

func notEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
