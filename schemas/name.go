package directory

import "encoding/json"

// nameIn is what a document calls its resource: displayName, or else userName. It is
// for lists of names only; everything else reads through schemas.
func nameIn(doc []byte) string {
	var n struct {
		DisplayName string `json:"displayName"`
		UserName    string `json:"userName"`
	}
	if err := json.Unmarshal(doc, &n); err != nil {
		return "" // a stored document always decodes
	}
	if n.DisplayName != "" {
		return n.DisplayName
	}
	return n.UserName
}
