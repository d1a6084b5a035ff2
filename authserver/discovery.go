package authserver

import (
	"net/http"
)

// metadata serves both discovery documents (OpenID Connect Discovery, section 4; RFC
// 8414): one prebuilt answer.
func (s *Service) metadata(w http.ResponseWriter, _ *http.Request, srv *server) {
	writeDocument(w, srv.metadata)
}

// keys serves GET /v1/keys (RFC 7517). A verifier that fetches the set is the first
// need of the RS256 key: it must not find it missing a moment later.
func (s *Service) keys(w http.ResponseWriter, r *http.Request, srv *server) {
	srv, _, err := s.needKey(r.Context(), srv, rs256)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	writeDocument(w, srv.ring.jwks)
}

func writeDocument(w http.ResponseWriter, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "max-age=3600, must-revalidate")
	_, _ = w.Write(body) // the client has gone; there is nobody to tell
}

// discovery is the document of a server. It lists what works and nothing else.
func (s *Service) discovery(srv *server) map[string]any {
	auth := []string{authBasic, authPost, authPrivateKey, authNone}
	algs := make([]string, len(assertionAlgs))
	for i, a := range assertionAlgs {
		algs[i] = string(a)
	}
	doc := map[string]any{
		"issuer":                                                   srv.Issuer,
		"authorization_endpoint":                                   s.endpoint(srv, "authorize"),
		"token_endpoint":                                           s.endpoint(srv, "token"),
		"userinfo_endpoint":                                        s.endpoint(srv, "userinfo"),
		"jwks_uri":                                                 s.endpoint(srv, "keys"),
		"introspection_endpoint":                                   s.endpoint(srv, "introspect"),
		"revocation_endpoint":                                      s.endpoint(srv, "revoke"),
		"end_session_endpoint":                                     s.endpoint(srv, "logout"),
		"response_types_supported":                                 []string{"code"},
		"response_modes_supported":                                 []string{"query", "fragment", "form_post"},
		"grant_types_supported":                                    ruleGrantTypes,
		"subject_types_supported":                                  []string{"public"},
		"scopes_supported":                                         srv.publishedScopes(),
		"claims_supported":                                         claimsSupported,
		"prompt_values_supported":                                  []string{"none", "login", "consent", "select_account"},
		"id_token_signing_alg_values_supported":                    []string{rs256, es256},
		"code_challenge_methods_supported":                         []string{"S256"},
		"token_endpoint_auth_methods_supported":                    auth,
		"token_endpoint_auth_signing_alg_values_supported":         algs,
		"introspection_endpoint_auth_methods_supported":            auth,
		"introspection_endpoint_auth_signing_alg_values_supported": algs,
		"revocation_endpoint_auth_methods_supported":               auth,
		"revocation_endpoint_auth_signing_alg_values_supported":    algs,
		"authorization_response_iss_parameter_supported":           true, // RFC 9207
		"request_parameter_supported":                              false,
		"request_uri_parameter_supported":                          false,
		"claims_parameter_supported":                               false,
	}
	if srv.isOrg() {
		doc["registration_endpoint"] = s.PublicURL + "/oauth2/v1/clients"
	}
	return doc
}

func (srv *server) publishedScopes() []string {
	out := []string{}
	for _, sc := range srv.scopeList {
		if sc.MetadataPublish == PublishAll {
			out = append(out, sc.Name)
		}
	}
	return out
}

// claimsSupported never lists the claims that an organisation has configured.
var claimsSupported = []string{
	"iss", "ver", "sub", "aud", "iat", "exp", "jti", "auth_time", "amr", "idp", "nonce", "at_hash",
	"name", "nickname", "preferred_username", "given_name", "middle_name", "family_name", "email", "email_verified",
	"profile", "zoneinfo", "locale", "address", "phone_number", "updated_at",
}
