package authserver

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas/expr"
)

// claim adds one to the default server.
func (b *bench) claim(c Claim) {
	b.t.Helper()
	if c.ClaimType == "" {
		c.ClaimType = ClaimAccess
	}
	if c.ValueType == "" {
		c.ValueType = ValueExpression
	}
	if _, err := b.s.CreateClaim(b.t.Context(), b.by, DefaultServer, c); err != nil {
		b.t.Fatalf("claim %s: %v", c.Name, err)
	}
}

func TestClaims(t *testing.T) {
	b := sqliteBench(t)
	b.people.change("00uada", func(p *Person) {
		p.Groups = []Group{{"00g1", "Staff"}, {"00g2", "staff-london"}, {"00g3", "Board"}}
	})
	c := b.webClient()
	b.claim(Claim{Name: "dept", Value: "user.department"})
	b.claim(Claim{Name: "who", Value: `user.firstName + " of " + app.name`})
	b.claim(Claim{Name: "unset", Value: "user.costCenter"})
	b.claim(Claim{Name: "mail", Value: "user.email", Conditions: ClaimConditions{[]string{"email"}}})
	b.claim(Claim{Name: "off", Value: "user.email", Status: Inactive})
	b.claim(Claim{Name: "starts", ValueType: ValueGroups, GroupFilterType: FilterStartsWith, Value: "STAFF"})
	b.claim(Claim{Name: "equals", ValueType: ValueGroups, GroupFilterType: FilterEquals, Value: "board"})
	b.claim(Claim{Name: "contains", ValueType: ValueGroups, GroupFilterType: FilterContains, Value: "lon"})
	b.claim(Claim{Name: "regex", ValueType: ValueGroups, GroupFilterType: FilterRegex, Value: "^Staff$"})
	b.claim(Claim{Name: "always", ClaimType: ClaimIdentity, Value: "user.department", AlwaysIncludeInToken: true})
	b.claim(Claim{Name: "seldom", ClaimType: ClaimIdentity, Value: "user.department"})
	want := map[string]any{
		"dept": "Analysis", "who": "Ada of Web", "starts": []any{"Staff", "staff-london"}, "equals": []any{"Board"},
		"contains": []any{"staff-london"}, "regex": []any{"Staff"},
	}
	a := b.tokens(c, DefaultServer, "openid")
	if diff := cmp.Diff(want, configured(claims(t, a.str("access_token")))); diff != "" {
		t.Errorf("access token (-want +got):\n%s", diff)
	}
	if got := claims(t, a.str("id_token")); got["always"] != "Analysis" || got["seldom"] != nil {
		t.Errorf("ID token: got %v", got)
	}
	if got := b.post(b.as(DefaultServer, "userinfo"), nil, url.Values{"access_token": {a.str("access_token")}}); got.str("seldom") != "Analysis" {
		t.Errorf("userinfo: got %v", got.Body)
	}
	if got := claims(t, b.tokens(c, DefaultServer, "openid email").str("access_token")); got["mail"] != "ada@example.com" {
		t.Errorf("with the scope: got %v", got)
	}
}

// configured leaves what an organisation has added.
func configured(all map[string]any) map[string]any {
	for _, name := range reservedClaims {
		delete(all, name)
	}
	return all
}

// TestClaimsOfClient: where nobody is behind the token, user is there and empty.
func TestClaimsOfClient(t *testing.T) {
	b := sqliteBench(t)
	c := b.webClient()
	b.claim(Claim{Name: "dept", Value: "user.department"})
	b.claim(Claim{Name: "client", Value: "app.clientId"})
	b.claim(Claim{Name: "name", Value: "(appuser != null) ? appuser.userName : app.clientId"})
	b.claim(Claim{Name: "teams", ValueType: ValueGroups, GroupFilterType: FilterContains, Value: ""})
	if _, err := b.s.CreateScope(t.Context(), b.by, DefaultServer, Scope{Name: "api"}); err != nil {
		t.Fatal(err)
	}
	a := b.post(b.as(DefaultServer, "token"), c, url.Values{"grant_type": {grantClientCredentials}, "scope": {"api"}})
	if a.Status != http.StatusOK {
		t.Fatalf("got %d %v", a.Status, a.Body)
	}
	if diff := cmp.Diff(map[string]any{"client": c.ID, "name": c.ID}, configured(claims(t, a.str("access_token")))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestClaimFails: no token without the claim.
func TestClaimFails(t *testing.T) {
	b := sqliteBench(t, func(o *Options) {
		o.Profile = func() expr.Object { return expr.Object{Attributes: map[string]expr.Type{"level": expr.Any}} }
	})
	c := b.webClient()
	b.claim(Claim{Name: "level", Value: "user.level == null ? 0 : user.level + 1"})
	b.tokens(c, DefaultServer, "openid")
	b.people.change("00uada", func(p *Person) { p.Profile = map[string]any{"level": "high"} })
	code := b.code(c, DefaultServer, "openid", nil)
	b.wantError(b.exchange(c, DefaultServer, code, nil), 400, "server_error", "The 'level' user claim could not be evaluated.")
	if _, err := b.s.CreateClaim(t.Context(), b.by, DefaultServer, Claim{Name: "x", ClaimType: ClaimAccess, ValueType: ValueExpression, Value: "user.nothing"}); err == nil {
		t.Error("an attribute that is not declared was saved")
	}
}

// Who takes an attribute away is told which claims read it.
func TestUsesOfAttribute(t *testing.T) {
	b := sqliteBench(t)
	b.claim(Claim{Name: "dept", Value: "user.department"})
	b.claim(Claim{Name: "both", ClaimType: ClaimIdentity, Value: `user.firstName + user.department`, Status: Inactive})
	b.claim(Claim{Name: "staff", ValueType: ValueGroups, GroupFilterType: FilterEquals, Value: "department"})
	for attribute, want := range map[string]int{"department": 2, "firstName": 1, "depart": 0, "costCenter": 0} {
		err := b.s.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			uses, err := b.s.UsesOfAttribute(tx, attribute)
			if len(uses) != want {
				t.Errorf("%s: %q, want %d", attribute, uses, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
