package httpapi

import "slices"

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

// Type says whether the client may speak of a resource type. A nil *Limits allows all.
func (l *Limits) Type(name string) bool {
	return l == nil || len(l.ResourceTypes) == 0 || slices.Contains(l.ResourceTypes, name)
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
