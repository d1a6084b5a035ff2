package scim

import (
	"encoding/json"
	"strconv"
)

// ListResponse is the answer to a query (RFC 7644, section 3.4.2, and RFC 9865 for
// the cursors).
type ListResponse struct {
	Schemas        []string          `json:"schemas"`
	TotalResults   int               `json:"totalResults"`
	StartIndex     int               `json:"startIndex,omitempty"`
	ItemsPerPage   int               `json:"itemsPerPage"`
	NextCursor     string            `json:"nextCursor,omitempty"`
	PreviousCursor string            `json:"previousCursor,omitempty"`
	Resources      []json.RawMessage `json:"Resources"`
}

// SearchRequest is the body of POST /.search (RFC 7644, section 3.4.3).
type SearchRequest struct {
	Schemas            []string `json:"schemas"`
	Attributes         []string `json:"attributes,omitempty"`
	ExcludedAttributes []string `json:"excludedAttributes,omitempty"`
	Filter             string   `json:"filter,omitempty"`
	SortBy             string   `json:"sortBy,omitempty"`
	SortOrder          string   `json:"sortOrder,omitempty"`
	StartIndex         *int     `json:"startIndex,omitempty"`
	Count              *int     `json:"count,omitempty"`
	Cursor             *string  `json:"cursor,omitempty"`
}

// PatchRequest is the body of a PATCH (RFC 7644, section 3.5.2).
type PatchRequest struct {
	Schemas    []string         `json:"schemas"`
	Operations []PatchOperation `json:"Operations"`
}

// PatchOperation is one operation of a PatchRequest.
type PatchOperation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

// BulkRequest is the body of POST /Bulk (RFC 7644, section 3.7). FailOnErrors is how many
// errors end it, 0 for any number.
type BulkRequest struct {
	Schemas      []string        `json:"schemas"`
	FailOnErrors int             `json:"failOnErrors,omitempty"`
	Operations   []BulkOperation `json:"Operations"`
}

// BulkResponse is the answer to a BulkRequest: the operations that were processed.
type BulkResponse struct {
	Schemas    []string        `json:"schemas"`
	Operations []BulkOperation `json:"Operations"`
}

// BulkOperation is one operation of a bulk request, or what became of it. Path and Data
// are those of a request; Location, Status, which is that of HTTP as a string, and
// Response are those of an answer.
type BulkOperation struct {
	Location string          `json:"location,omitempty"`
	Method   string          `json:"method"`
	BulkID   string          `json:"bulkId,omitempty"`
	Version  string          `json:"version,omitempty"`
	Path     string          `json:"path,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
	Status   string          `json:"status,omitempty"`
	Response *ErrorBody      `json:"response,omitempty"`
}

// ErrorBody is the body of an error (RFC 7644, section 3.12). Status is the HTTP
// status as a string.
type ErrorBody struct {
	Schemas  []string `json:"schemas"`
	Status   string   `json:"status"`
	ScimType string   `json:"scimType,omitempty"`
	Detail   string   `json:"detail"`
}

// NewError returns the body of an error with HTTP status.
func NewError(status int, scimType, detail string) ErrorBody {
	return ErrorBody{
		Schemas: []string{MessageError}, Status: strconv.Itoa(status),
		ScimType: scimType, Detail: detail,
	}
}
