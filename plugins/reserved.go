package plugins

import "strings"

// Claims that no hook may set: the contract's three lists. cnf is reserved whether
// DPoP is on or not: a hook must not bind a token to another's key. So is client_id in
// an access token, where it says what cid says (RFC 9068, section 2.2).
var (
	reservedBoth   = set("acr auth_time cid cnf exp groups iat iss jti sid token_type ver")
	reservedAccess = set("as_uri authorization_details client_id rpt rsi scp uid username")
	reservedID     = set("active aid amr app_id app_type at_hash aud c_hash client_id client_ip client_req_id client_type " +
		"client_user_agent device_compliance device_id device_known device_managed device_name device_trust did dst group " +
		"hotk idp idp_iss mac_key may_act nonce oid okta_emailVerified okta_lastUpdated orig permissions purpose " +
		"pwd_exp_days pwd_exp_time rid role scope scopes sub term user_ip")
)

// Reserved reports whether no command of this type may touch the claim. The aud and
// sub of an access token are not reserved: they may be replaced.
func Reserved(command, claim string) bool {
	if reservedBoth[claim] {
		return true
	}
	if command == CommandIdentity {
		return reservedID[claim]
	}
	return reservedAccess[claim]
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
