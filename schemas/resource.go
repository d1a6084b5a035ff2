package schemas

import "time"

// Resource is a resource in memory. Document attributes are reached through its
// methods; the fields hold what is stored apart from the document.
type Resource struct {
	Type       *Type
	ExternalID string
	// Password is the clear text of a request, never stored and never shown.
	Password string
	// Active is nil when a request said nothing. It is no part of Doc: it is a view
	// of the lifecycle status. Whoever decodes a stored user sets it from there.
	Active *bool
	// Members of a group, as a request body gave them. They are no part of Doc.
	Members []Member

	root node
}

// Member is a member of a group in a request body.
type Member struct {
	Value   string // the id of the user or group
	Type    string // "User", "Group", or empty
	Display string
	Ref     string
}

// Hot holds the values that have columns of their own, folded as the filter folds
// them; an absent value is empty.
type Hot struct {
	Active      *bool
	UserName    string // without case and diacritics
	DisplayName string
	FamilyName  string
	GivenName   string
}

// Entry is a row of the attribute index: one value of one element.
type Entry struct {
	Path  string
	Value string // folded and order-encoded; empty for attributes that are Unindexed
	Elem  int    // which element of the multi-valued attribute, from 0
}

// Volatile is what Render splices into a stored document.
type Volatile struct {
	ID         string
	ExternalID string // left out when empty
	Created    time.Time
	Modified   time.Time
	Version    int64
	Location   string // the URL of the resource
	Active     *bool  // left out when nil
	// Extra is a JSON member ready to be spliced, as `"groups":[...]` of a user or
	// `"members":[...]` of a group; nil for none. Ask Projection.Includes before
	// making it.
	Extra []byte
	// ExtraAt, when set, is told where in the result Extra stands, or a member that is
	// written later would: something stands before it, so it begins with a comma.
	ExtraAt *int
	// Meta is more members of meta, with commas between them. They are asked for by
	// asking for what they tell of.
	Meta []byte
}
