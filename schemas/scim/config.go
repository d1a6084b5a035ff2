package scim

// ServiceProviderConfig says what a server can do (RFC 7643, section 5; RFC 9865,
// section 4, for Pagination; RFC 9967, section 4, for SecurityEvents). URIs that are not set are left out: an empty string
// is no URI.
type ServiceProviderConfig struct {
	Schemas               []string               `json:"schemas"`
	DocumentationURI      string                 `json:"documentationUri,omitempty"`
	Patch                 Supported              `json:"patch"`
	Bulk                  BulkSupport            `json:"bulk"`
	Filter                FilterSupport          `json:"filter"`
	ChangePassword        Supported              `json:"changePassword"`
	Sort                  Supported              `json:"sort"`
	ETag                  Supported              `json:"etag"`
	Pagination            *PaginationSupport     `json:"pagination,omitempty"`
	SecurityEvents        *SecurityEvents        `json:"securityEvents,omitempty"`
	AuthenticationSchemes []AuthenticationScheme `json:"authenticationSchemes"`
	Meta                  Meta                   `json:"meta"`
}

// Supported says whether a feature is there.
type Supported struct {
	Supported bool `json:"supported"`
}

// BulkSupport describes POST /Bulk; MaxPayloadSize is in bytes.
type BulkSupport struct {
	Supported      bool `json:"supported"`
	MaxOperations  int  `json:"maxOperations"`
	MaxPayloadSize int  `json:"maxPayloadSize"`
}

// FilterSupport describes filters; MaxResults is the largest page.
type FilterSupport struct {
	Supported  bool `json:"supported"`
	MaxResults int  `json:"maxResults"`
}

// PaginationSupport describes paging (RFC 9865, section 4). CursorTimeout is in
// seconds.
type PaginationSupport struct {
	Cursor                  bool   `json:"cursor"`
	Index                   bool   `json:"index"`
	DefaultPaginationMethod string `json:"defaultPaginationMethod,omitempty"`
	DefaultPageSize         int    `json:"defaultPageSize,omitempty"`
	MaxPageSize             int    `json:"maxPageSize,omitempty"`
	CursorTimeout           int    `json:"cursorTimeout,omitempty"`
}

// SecurityEvents describes event streams (RFC 9967, section 4). AsyncRequest is "none",
// "long" or "request".
type SecurityEvents struct {
	AsyncRequest string   `json:"asyncRequest"`
	EventURIs    []string `json:"eventUris"`
}

// AuthenticationScheme is a way to authenticate.
type AuthenticationScheme struct {
	Type             string `json:"type"` // "oauthbearertoken", "oauth2", "httpbasic", ...
	Name             string `json:"name"`
	Description      string `json:"description"`
	SpecURI          string `json:"specUri,omitempty"`
	DocumentationURI string `json:"documentationUri,omitempty"`
	Primary          bool   `json:"primary,omitempty"`
}

// Meta is the meta attribute of discovery documents and of resources a client reads.
type Meta struct {
	ResourceType string `json:"resourceType"`
	Created      string `json:"created,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
	Location     string `json:"location,omitempty"`
	Version      string `json:"version,omitempty"`
}
