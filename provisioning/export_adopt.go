package provisioning

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// resolve finds out what became of a create whose outcome is not known, or that stood
// against an account of the same name: by our own ID and then by the name the account
// was to have. Only when there is none is it made again.
func (x *export) resolve(ctx context.Context, u *directory.User, a *directory.AppUser) error {
	x.operation = opCreate
	o, err := x.lookUp(ctx, u)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if u != nil {
		if err := x.recognise(ctx, u, o); err != nil {
			return err
		}
	}
	return x.link(ctx, a, o)
}

// lookUp asks the target for an account by our ID, else by its name.
func (x *export) lookUp(ctx context.Context, u *directory.User) (Object, error) {
	getter, ok := x.t.conn.(Getter)
	if !ok {
		return Object{}, fmt.Errorf("%w: the target cannot be asked whether the account exists", errDisputed)
	}
	ref := Ref{Type: TypeUser, ExternalID: x.m.objectID}
	if u != nil {
		wanted, err := x.wanted(ctx, u, true)
		if err != nil {
			return Object{}, err
		}
		ref.Name = accountName(wanted)
	}
	asking, cancel := context.WithTimeout(ctx, x.e.callTimeout())
	defer cancel()
	return getter.Get(asking, ref)
}

// accountName is what people call an account at the app.
func accountName(profile map[string]any) string {
	for _, name := range []string{"userName", "uid"} {
		if s, ok := profile[name].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// link makes an account that was found at the app this user's, unless somebody else
// here has it. All that our mapping wants is then compared with what it is.
func (x *export) link(ctx context.Context, a *directory.AppUser, o Object) error {
	owner, err := x.e.Dir.UserIDByExternalID(ctx, x.m.appID, o.ID)
	if err != nil {
		return err
	}
	if owner != "" && owner != a.UserID {
		return fmt.Errorf("%w: %s", errDisputed, o.Name)
	}
	a.ExternalID, a.RemoteName, a.RemoteVersion, a.RemoteActive = o.ID, o.Name, o.Version, o.Active
	a.Shadow, a.Profile, a.Applied, a.Creating = o.Attributes, x.t.users.Profile(o.Attributes), map[string]any{}, false
	x.provisioned(a)
	a.SyncState = directory.SyncOutOfSync
	return x.write(ctx, func(tx *sqldb.Tx) error {
		if err := x.saveTx(tx, a); err != nil {
			return err
		}
		if err := x.e.Dir.MarkGroupsOfUserTx(tx, a.UserID); err != nil {
			return err
		}
		return x.auditTx(tx, "application.provision.user.verify_exists", map[string]any{"externalId": o.ID})
	})
}

// recognise returns errDisputed unless an account that was found at the app is this
// user's: it has our ID or the user's login, an import would find the user by it, or it
// is just what we were about to make. That two people have one short name proves
// nothing, and what another person has is not overwritten.
func (x *export) recognise(ctx context.Context, u *directory.User, o Object) error {
	profile, err := x.e.Dir.Profile(u)
	if err != nil {
		return err
	}
	account := x.t.users.Profile(o.Attributes)
	if o.ExternalID == u.ID || sameLogin(profile["login"], accountName(account)) {
		return nil
	}
	seen, _ := x.t.in.Apply(ctx, map[string]any{"appuser": account, "idpuser": account, "app": directory.AppVars(x.t.app)}, nil, true)
	if sameLogin(profile["login"], seen["login"]) || sameLogin(profile["email"], seen["email"]) {
		return nil
	}
	_, mine, err := x.newAccount(ctx, u)
	if err != nil {
		return err
	}
	for name, values := range mine.Attributes {
		if !slices.Equal(o.Attributes[name], values) {
			return fmt.Errorf("%w: %s has neither the login nor the e-mail address of this one", errDisputed, o.Name)
		}
	}
	return nil
}

// sameLogin compares logins and addresses, of which an empty one is nobody's.
func sameLogin(a, b any) bool {
	x, _ := a.(string)
	y, _ := b.(string)
	return x != "" && schemas.FoldLogin(x) == schemas.FoldLogin(y)
}
