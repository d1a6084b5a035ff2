package scim

// URNs of the messages that answer a question for changes, which no RFC has.
const (
	MessageChanges   = "urn:provost:params:scim:api:messages:2.0:ChangesResponse"
	MessageTombstone = "urn:provost:params:scim:api:messages:2.0:Tombstone"
)

// Tombstone stands among changed resources for one that is deleted.
type Tombstone struct {
	Schemas []string      `json:"schemas"`
	ID      string        `json:"id"`
	Meta    TombstoneMeta `json:"meta"`
}

// TombstoneMeta is the meta of a Tombstone; Location is where the resource was.
type TombstoneMeta struct {
	ResourceType string `json:"resourceType"`
	Location     string `json:"location"`
	Deleted      bool   `json:"deleted"` // always true
}
