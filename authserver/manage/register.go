package manage

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/provost-id/provost/authserver"
	"github.com/provost-id/provost/internal/httpapi"
)

// handlers serve the operations.
type handlers struct{ s *authserver.Service }

const root = "/authorizationServers"

// Register adds the operations of /api/v1/authorizationServers.
func Register(api huma.API, s *authserver.Service) {
	h := &handlers{s: s}
	h.registerServers(api)
	h.registerScopes(api)
	h.registerClaims(api)
	h.registerPolicies(api)
	h.registerRules(api)
}

// op describes an operation. Everything that is made here answers 201, a lifecycle
// operation and a deletion 204.
func op(id, method, path, summary string, status int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: "/api/v1" + root + path, Summary: summary, DefaultStatus: status,
		Tags:             []string{"Authorization servers"},
		SkipValidateBody: true, // clients send null for what they leave out; authserver checks the rest
	}
}

func (h *handlers) registerServers(api huma.API) {
	const one = "/{id}"
	huma.Register(api, op("listAuthorizationServers", http.MethodGet, "", "List authorization servers", http.StatusOK), h.listServers)
	huma.Register(api, op("createAuthorizationServer", http.MethodPost, "", "Create an authorization server", http.StatusCreated), h.createServer)
	huma.Register(api, op("getAuthorizationServer", http.MethodGet, one, "Read an authorization server", http.StatusOK), h.readServer)
	huma.Register(api, op("replaceAuthorizationServer", http.MethodPut, one, "Replace an authorization server", http.StatusOK), h.replaceServer)
	huma.Register(api, op("deleteAuthorizationServer", http.MethodDelete, one, "Delete an authorization server", http.StatusNoContent), h.deleteServer)
	huma.Register(api, op("activateAuthorizationServer", http.MethodPost, one+"/lifecycle/activate", "Activate an authorization server",
		http.StatusNoContent), h.serverStatus(authserver.Active))
	huma.Register(api, op("deactivateAuthorizationServer", http.MethodPost, one+"/lifecycle/deactivate", "Deactivate an authorization server",
		http.StatusNoContent), h.serverStatus(authserver.Inactive))
	huma.Register(api, op("listAuthorizationServerKeys", http.MethodGet, one+"/credentials/keys", "List signing keys", http.StatusOK), h.listKeys)
	huma.Register(api, op("rotateAuthorizationServerKeys", http.MethodPost, one+"/credentials/lifecycle/keyRotate", "Rotate the signing keys",
		http.StatusOK), h.rotateKeys)
	huma.Register(api, op("simulateAuthorizationServer", http.MethodPost, one+"/simulate", "Say what a request would get, and why",
		http.StatusOK), h.simulate)
}

func (h *handlers) registerScopes(api huma.API) {
	const all, one = "/{id}/scopes", "/{id}/scopes/{scopeId}"
	huma.Register(api, op("listOAuth2Scopes", http.MethodGet, all, "List scopes", http.StatusOK), h.listScopes)
	huma.Register(api, op("createOAuth2Scope", http.MethodPost, all, "Create a scope", http.StatusCreated), h.createScope)
	huma.Register(api, op("getOAuth2Scope", http.MethodGet, one, "Read a scope", http.StatusOK), h.readScope)
	huma.Register(api, op("replaceOAuth2Scope", http.MethodPut, one, "Replace a scope", http.StatusOK), h.replaceScope)
	huma.Register(api, op("deleteOAuth2Scope", http.MethodDelete, one, "Delete a scope", http.StatusNoContent), h.deleteScope)
}

func (h *handlers) registerClaims(api huma.API) {
	const all, one = "/{id}/claims", "/{id}/claims/{claimId}"
	huma.Register(api, op("listOAuth2Claims", http.MethodGet, all, "List claims", http.StatusOK), h.listClaims)
	huma.Register(api, op("createOAuth2Claim", http.MethodPost, all, "Create a claim", http.StatusCreated), h.createClaim)
	huma.Register(api, op("getOAuth2Claim", http.MethodGet, one, "Read a claim", http.StatusOK), h.readClaim)
	huma.Register(api, op("replaceOAuth2Claim", http.MethodPut, one, "Replace a claim", http.StatusOK), h.replaceClaim)
	huma.Register(api, op("deleteOAuth2Claim", http.MethodDelete, one, "Delete a claim", http.StatusNoContent), h.deleteClaim)
}

func (h *handlers) registerPolicies(api huma.API) {
	const all, one = "/{id}/policies", "/{id}/policies/{policyId}"
	huma.Register(api, op("listAuthorizationServerPolicies", http.MethodGet, all, "List access policies", http.StatusOK), h.listPolicies)
	huma.Register(api, op("createAuthorizationServerPolicy", http.MethodPost, all, "Create an access policy", http.StatusCreated), h.createPolicy)
	huma.Register(api, op("getAuthorizationServerPolicy", http.MethodGet, one, "Read an access policy", http.StatusOK), h.readPolicy)
	huma.Register(api, op("replaceAuthorizationServerPolicy", http.MethodPut, one, "Replace an access policy", http.StatusOK), h.replacePolicy)
	huma.Register(api, op("deleteAuthorizationServerPolicy", http.MethodDelete, one, "Delete an access policy", http.StatusNoContent), h.deletePolicy)
	huma.Register(api, op("activateAuthorizationServerPolicy", http.MethodPost, one+"/lifecycle/activate", "Activate an access policy",
		http.StatusNoContent), h.policyStatus(authserver.Active))
	huma.Register(api, op("deactivateAuthorizationServerPolicy", http.MethodPost, one+"/lifecycle/deactivate", "Deactivate an access policy",
		http.StatusNoContent), h.policyStatus(authserver.Inactive))
}

func (h *handlers) registerRules(api huma.API) {
	const all, one = "/{id}/policies/{policyId}/rules", "/{id}/policies/{policyId}/rules/{ruleId}"
	huma.Register(api, op("listAuthorizationServerPolicyRules", http.MethodGet, all, "List the rules of a policy", http.StatusOK), h.listRules)
	huma.Register(api, op("createAuthorizationServerPolicyRule", http.MethodPost, all, "Create a rule", http.StatusCreated), h.createRule)
	huma.Register(api, op("getAuthorizationServerPolicyRule", http.MethodGet, one, "Read a rule", http.StatusOK), h.readRule)
	huma.Register(api, op("replaceAuthorizationServerPolicyRule", http.MethodPut, one, "Replace a rule", http.StatusOK), h.replaceRule)
	huma.Register(api, op("deleteAuthorizationServerPolicyRule", http.MethodDelete, one, "Delete a rule", http.StatusNoContent), h.deleteRule)
	huma.Register(api, op("activateAuthorizationServerPolicyRule", http.MethodPost, one+"/lifecycle/activate", "Activate a rule",
		http.StatusNoContent), h.ruleStatus(authserver.Active))
	huma.Register(api, op("deactivateAuthorizationServerPolicyRule", http.MethodPost, one+"/lifecycle/deactivate", "Deactivate a rule",
		http.StatusNoContent), h.ruleStatus(authserver.Inactive))
}

// change says who calls, and by which request.
func change(ctx context.Context) authserver.Change {
	return authserver.Change{Actor: httpapi.Caller(ctx).Actor(), Request: httpapi.RequestID(ctx)}
}
