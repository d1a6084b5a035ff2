package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Limits narrow what a SCIM client may see and change. An empty list narrows nothing.
type Limits struct {
	// ResourceTypes are the names of the types it may speak of, as "User".
	ResourceTypes []string `json:"resourceTypes,omitempty"`
	// ReadAttributes are the paths of what it may read; WriteAttributes, of what it may
	// set, are the same unless given. A path stands for what is part of it.
	ReadAttributes  []string `json:"readAttributes,omitempty"`
	WriteAttributes []string `json:"writeAttributes,omitempty"`
	// Groups are the IDs of the groups that it may see and change, and whose members
	// are the only people there are for it. Who it creates joins the first.
	Groups []string `json:"groups,omitempty"`
}

// Empty says that nothing is narrowed.
func (l *Limits) Empty() bool {
	return l == nil || len(l.ResourceTypes)+len(l.ReadAttributes)+len(l.WriteAttributes)+len(l.Groups) == 0
}

// UnmarshalJSON implements json.Unmarshaler. A member that is not a limit, and a list
// without anything in it, is an error: neither may come to mean that all is allowed.
func (l *Limits) UnmarshalJSON(b []byte) error {
	type plain Limits
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode((*plain)(l)); err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	for name, list := range map[string][]string{
		"resourceTypes": l.ResourceTypes, "readAttributes": l.ReadAttributes, "writeAttributes": l.WriteAttributes, "groups": l.Groups,
	} {
		if list != nil && len(list) == 0 {
			return fmt.Errorf("limits.%s: leave it out for no limit; an empty list would allow nothing", name)
		}
	}
	return nil
}

// Readable and Writable are lists of attribute paths; nil stands for all.
func (l *Limits) Readable() []string {
	if l == nil || len(l.ReadAttributes) == 0 {
		return nil
	}
	return l.ReadAttributes
}

// Writable is described with Readable.
func (l *Limits) Writable() []string {
	if l == nil || len(l.WriteAttributes) == 0 {
		return l.Readable()
	}
	return l.WriteAttributes
}

// Within are the groups that the client is confined to; nil stands for all.
func (l *Limits) Within() []string {
	if l == nil || len(l.Groups) == 0 {
		return nil
	}
	return l.Groups
}
