package authserver

import (
	"slices"
	"strings"
)

// maxGroups bounds the groups claim.
const maxGroups = 100

// profileClaims are the standard claims that the scopes allow (OpenID Connect Core,
// sections 5.1 and 5.4). What a profile does not have is left out.
func profileClaims(p *Person, scopes []string) map[string]any {
	out := map[string]any{}
	set := func(claim, value string) {
		if value != "" {
			out[claim] = value
		}
	}
	if slices.Contains(scopes, scopeProfile) {
		for claim, attribute := range profileAttributes {
			set(claim, p.attribute(attribute))
		}
		set("name", displayName(p))
		set("preferred_username", p.Login)
		set("locale", strings.ReplaceAll(p.attribute("locale"), "_", "-"))
		out["updated_at"] = p.Modified.Unix()
	}
	if email := p.attribute("email"); slices.Contains(scopes, scopeEmail) && email != "" {
		out["email"], out["email_verified"] = email, p.EmailVerified
	}
	if slices.Contains(scopes, scopePhone) {
		set("phone_number", first(p.attribute("mobilePhone"), p.attribute("primaryPhone")))
	}
	if address := addressClaim(p); slices.Contains(scopes, scopeAddress) && len(address) > 0 {
		out["address"] = address
	}
	if slices.Contains(scopes, scopeGroups) {
		names := groupNames(p)
		out["groups"] = names[:min(len(names), maxGroups)]
	}
	return out
}

// profileAttributes maps claims of the scope profile to attributes.
var profileAttributes = map[string]string{
	"given_name": "firstName", "family_name": "lastName", "middle_name": "middleName", "nickname": "nickName",
	"profile": "profileUrl", "zoneinfo": "timezone",
}

func displayName(p *Person) string {
	return first(p.attribute("displayName"), strings.TrimSpace(p.attribute("firstName")+" "+p.attribute("lastName")))
}

func addressClaim(p *Person) map[string]any {
	out := map[string]any{}
	for claim, attribute := range map[string]string{
		"street_address": "streetAddress", "locality": "city", "region": "state", "postal_code": "zipCode", "country": "countryCode",
	} {
		if v := p.attribute(attribute); v != "" {
			out[claim] = v
		}
	}
	return out
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
