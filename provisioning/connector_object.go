package provisioning

// Types of objects.
const (
	TypeUser  = "user"
	TypeGroup = "group"
)

// A Ref names an object at a target.
type Ref struct {
	Type string `json:"type,omitempty"` // TypeUser, TypeGroup; "" where the target does not say (members)
	// ID is the target's own immutable identifier: entryUUID, objectGUID, SCIM id. Links are keyed by it and by nothing else.
	ID string `json:"id,omitempty"`
	// Name is the address: a normalised DN, a userName. It may change and may come to mean another object.
	Name string `json:"name,omitempty"`
	// ExternalID is our own ID where the target keeps it, "" otherwise.
	ExternalID string `json:"externalId,omitempty"`
}

// An Object is a person or a group as the target has it.
type Object struct {
	Ref
	// Attributes hold all values of each attribute by its remote name. An attribute without a value is absent.
	Attributes map[string][]string
	// Members of a group. In LDAP a member has only a Name, in SCIM only an ID.
	Members []Ref
	// MembersUnknown is set when the target seems to have cut the list: no removal may be inferred.
	MembersUnknown bool
	// Active is false for an account that may not sign in.
	Active bool
	// Version is the target's: an ETag, an entryCSN. "" when it has none.
	Version string
}

// A Delta is a change of an object: the difference of what is wanted to what the target was last seen to have.
type Delta struct {
	Set    map[string]Change // by remote name
	Active *bool             // nil leaves it
}

// Empty says that there is nothing to change.
func (d Delta) Empty() bool { return len(d.Set) == 0 && d.Active == nil }

// A Change of one attribute. From holds all values that the target was last seen to have, To all that it shall have;
// an empty To removes the attribute.
type Change struct {
	From, To []string
}
