package scim

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/feed"
	wire "github.com/provost-id/provost/schemas/scim"
)

// serviceProviderConfig serves GET /ServiceProviderConfig (RFC 7643, section 5; RFC
// 9865, section 4). It says what holds, and nothing that does not.
func (s *Server) serviceProviderConfig(w http.ResponseWriter, r *http.Request) {
	yes := wire.Supported{Supported: true}
	streams, err := s.securityEvents(r.Context())
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	s.discover(w, r, wire.ServiceProviderConfig{
		Schemas: []string{wire.ServiceProviderSchema},
		Patch:   yes, ChangePassword: yes, ETag: yes, Sort: yes,
		Bulk:   wire.BulkSupport{Supported: true, MaxOperations: maxBulkOperations, MaxPayloadSize: maxBulkPayload},
		Filter: wire.FilterSupport{Supported: true, MaxResults: maxCount},
		Pagination: &wire.PaginationSupport{
			Cursor: true, Index: true, DefaultPaginationMethod: "index",
			DefaultPageSize: defaultCount, MaxPageSize: maxCount, CursorTimeout: int(directory.CursorTime.Seconds()),
		},
		SecurityEvents: streams,
		AuthenticationSchemes: []wire.AuthenticationScheme{{
			Type: "oauthbearertoken", Name: "OAuth Bearer Token", Primary: true,
			Description: "An API token with the scope scim or scim.read, or an access token of the org authorization server with one of them",
			SpecURI:     "https://www.rfc-editor.org/rfc/rfc6750",
		}},
		Meta: wire.Meta{ResourceType: "ServiceProviderConfig", Location: baseURL(r) + "/ServiceProviderConfig"},
	})
}

// securityEvents is nil without an event stream: absent, it says that none is configured
// (RFC 9967, section 4), and clients older than that RFC refuse a configuration with an
// attribute that they do not know.
func (s *Server) securityEvents(ctx context.Context) (*wire.SecurityEvents, error) {
	if s.Feed == nil {
		return nil, nil
	}
	configured, err := s.Feed.Configured(ctx)
	if err != nil || !configured {
		return nil, err
	}
	return &wire.SecurityEvents{AsyncRequest: "none", EventURIs: feed.URIs()}, nil
}

func (s *Server) discover(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	s.document(w, r, body, true)
}

// document answers with a discovery document. RFC 7644, section 4: a filter on one is
// forbidden, so that nobody takes the whole list for the answer.
func (s *Server) document(w http.ResponseWriter, r *http.Request, body []byte, found bool) {
	switch {
	case r.URL.Query().Has("filter"):
		writeStatus(w, r, http.StatusForbidden, "discovery documents cannot be filtered")
	case !found:
		writeStatus(w, r, http.StatusNotFound, "there is no document "+r.URL.Path)
	default:
		writeJSON(w, http.StatusOK, body)
	}
}

// schemas serves GET /Schemas.
func (s *Server) schemas(w http.ResponseWriter, r *http.Request) {
	s.document(w, r, s.Directory.Schemas().SchemasJSON(baseURL(r)), true)
}

// schema serves GET /Schemas/{id}.
func (s *Server) schema(w http.ResponseWriter, r *http.Request) {
	body, ok := s.Directory.Schemas().SchemaJSON(baseURL(r), r.PathValue("id"))
	s.document(w, r, body, ok)
}

// resourceTypes serves GET /ResourceTypes.
func (s *Server) resourceTypes(w http.ResponseWriter, r *http.Request) {
	s.document(w, r, s.Directory.Schemas().ResourceTypesJSON(baseURL(r)), true)
}

// resourceType serves GET /ResourceTypes/{name}.
func (s *Server) resourceType(w http.ResponseWriter, r *http.Request) {
	body, ok := s.Directory.Schemas().ResourceTypeJSON(baseURL(r), r.PathValue("name"))
	s.document(w, r, body, ok)
}
