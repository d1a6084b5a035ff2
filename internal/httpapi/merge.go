package httpapi

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// RawBody is a body that is merged into what is stored: a member that is null
// removes, one that is absent keeps. Use it as the Body of a huma operation's input.
type RawBody map[string]json.RawMessage

// Field decodes the member name into the value that into points to. present is false
// when the member is absent; null sets the zero value. A value of another type is
// E0000001 and names the member.
func (b RawBody) Field(name string, into any) (present bool, err error) {
	raw, ok := b[name]
	if !ok {
		return false, nil
	}
	reflect.ValueOf(into).Elem().SetZero() // to encoding/json, null is no value
	if err := json.Unmarshal(raw, into); err != nil {
		return true, Invalid(name, fmt.Sprintf("%s: The value is of the wrong type", name))
	}
	return true, nil
}

// Merge applies patch to dst as RFC 7396 does and returns dst: null removes, objects
// merge, everything else replaces. A nil dst becomes a new map.
func Merge(dst, patch map[string]any) map[string]any {
	if dst == nil {
		dst = map[string]any{}
	}
	for k, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(dst, k)
		case map[string]any:
			old, _ := dst[k].(map[string]any)
			dst[k] = Merge(old, v)
		default:
			dst[k] = v
		}
	}
	return dst
}
