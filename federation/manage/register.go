package manage

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/provost-id/provost/federation"
)

// handlers serve the operations.
type handlers struct{ federation *federation.Service }

// Register adds the operations of /api/v1/idps and /api/v1/users/{userId}/idps.
func Register(api huma.API, s *federation.Service) {
	h := &handlers{federation: s}
	op := func(id, method, path, summary string) huma.Operation {
		o := huma.Operation{
			OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary,
			Tags: []string{"Identity providers"}, DefaultStatus: http.StatusOK,
			SkipValidateBody: true, // clients send null for what they leave out; federation checks the rest
		}
		if method == http.MethodDelete {
			o.DefaultStatus = http.StatusNoContent
		}
		return o
	}
	huma.Register(api, op("listIdentityProviders", http.MethodGet, "/idps", "List identity providers"), h.list)
	huma.Register(api, op("createIdentityProvider", http.MethodPost, "/idps", "Create an identity provider"), h.create)
	huma.Register(api, op("getIdentityProvider", http.MethodGet, "/idps/{id}", "Read an identity provider"), h.read)
	huma.Register(api, op("replaceIdentityProvider", http.MethodPut, "/idps/{id}", "Replace an identity provider"), h.replace)
	huma.Register(api, op("deleteIdentityProvider", http.MethodDelete, "/idps/{id}", "Delete an identity provider and its links"), h.remove)
	huma.Register(api, op("activateIdentityProvider", http.MethodPost, "/idps/{id}/lifecycle/activate", "Activate an identity provider"),
		h.lifecycle(federation.Active))
	huma.Register(api, op("deactivateIdentityProvider", http.MethodPost, "/idps/{id}/lifecycle/deactivate", "Deactivate an identity provider"),
		h.lifecycle(federation.Inactive))
	huma.Register(api, op("listIdentityProviderUsers", http.MethodGet, "/idps/{id}/users", "List the users of an identity provider"), h.listUsers)
	huma.Register(api, op("getIdentityProviderUser", http.MethodGet, "/idps/{id}/users/{userId}", "Read a user of an identity provider"), h.readUser)
	huma.Register(api, op("linkUserToIdentityProvider", http.MethodPost, "/idps/{id}/users/{userId}", "Link a user to an identity provider"), h.linkUser)
	huma.Register(api, op("unlinkUserFromIdentityProvider", http.MethodDelete, "/idps/{id}/users/{userId}", "Unlink a user from an identity provider"), h.unlinkUser)
	huma.Register(api, op("listUserIdentityProviders", http.MethodGet, "/users/{userId}/idps", "List the identity providers of a user"), h.listOfUser)
}
