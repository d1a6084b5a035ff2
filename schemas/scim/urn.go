package scim

// URNs of schemas.
const (
	User                  = "urn:ietf:params:scim:schemas:core:2.0:User"
	Group                 = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseUser        = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	OrgUser               = "urn:provost:params:scim:schemas:extension:org:2.0:User"
	OrgGroup              = "urn:provost:params:scim:schemas:extension:org:2.0:Group"
	Schema                = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	ResourceType          = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	ServiceProviderSchema = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
)

// URNs of messages (RFC 7644, section 3.1 and following).
const (
	MessageList   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	MessageSearch = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	MessagePatch  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	MessageBulk   = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	MessageBulked = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	MessageError  = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// MediaType of all SCIM bodies (RFC 7644, section 8.1).
const MediaType = "application/scim+json"
