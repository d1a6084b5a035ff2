package story

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// deactivate sets active to false over SCIM and looks everywhere for what is left.
func (w *World) deactivate(ctx context.Context) error {
	b, err := newBrowser(callback)
	if err != nil {
		return err
	}
	token, _, err := w.signInOnPage(ctx, b)
	if err != nil {
		return err
	}
	account, err := w.LDAP.search(ctx, "(mail="+w.created.login+")")
	if err != nil {
		return err
	}
	w.created.dn = account.first("dn")
	if err := w.setLDAPPassword(ctx); err != nil {
		return err
	}
	_, err = w.Main.call(ctx, "PATCH", "/scim/v2/Users/"+w.created.id, object{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []object{{"op": "replace", "value": object{"active": false}}},
	})
	if err != nil {
		return err
	}
	if err := within(ctx, time.Second, func() error { return w.signedOut(ctx, b, token.RefreshToken) }); err != nil {
		return err
	}
	w.Say("   session and refresh token are dead")
	if err := within(ctx, soon, func() error { return w.accountsOff(ctx) }); err != nil {
		return err
	}
	w.Say("   %s no longer binds; scimmy and the second provost show active=false", w.created.dn)
	return nil
}

// setLDAPPassword lets the account bind first, so that a refused bind means something.
func (w *World) setLDAPPassword(ctx context.Context) error {
	if err := w.LDAP.setPassword(ctx, w.created.dn, w.created.password); err != nil {
		return err
	}
	if !w.LDAP.bind(ctx, w.created.dn, w.created.password) {
		return fmt.Errorf("%s does not bind before the deactivation", w.created.dn)
	}
	return nil
}

func (w *World) signedOut(ctx context.Context, b *browser, refreshToken string) error {
	if _, err := w.refresh(ctx, refreshToken); err == nil {
		return errors.New("the refresh token still lives")
	}
	out, err := w.refused(ctx, b)
	if err == nil && !out {
		err = errors.New("the session still lives")
	}
	return err
}

func (w *World) accountsOff(ctx context.Context) error {
	if w.LDAP.bind(ctx, w.created.dn, w.created.password) {
		return errors.New("the LDAP account still binds")
	}
	for name, t := range w.targets() {
		u, err := t.find(ctx, w.created.login)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if u["active"] != false {
			return fmt.Errorf("%s shows active=%v", name, u["active"])
		}
	}
	return nil
}
