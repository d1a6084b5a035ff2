package directory

import "github.com/provost-id/provost/schemas"

// checkMutable refuses a change of what the schema lets nobody change, or not this source.
// SCIM has its own rules, which are applied when a request is read (RFC 7644, section 3.5).
func checkMutable(c Change, was, next *schemas.Resource, attrs []string) error {
	for _, attr := range attrs {
		if err := checkWritable(c, next.Type, attr); err != nil {
			return err
		}
		if next.Type.ProfileMutability(attr) == schemas.Immutable && was.HasProfile(attr) {
			return &MutabilityError{Attr: attr, Mutability: schemas.Immutable}
		}
	}
	return nil
}

// checkWritable refuses a value that nobody may give by hand.
func checkWritable(c Change, t *schemas.Type, attr string) error {
	byHand := c.Source.Kind == SourceManage || c.Source.Kind == SourceSelf
	if byHand && t.ProfileMutability(attr) == schemas.ReadOnly {
		return &MutabilityError{Attr: attr, Mutability: schemas.ReadOnly}
	}
	return nil
}

// CheckWritable refuses a profile with a value that nobody may give by hand.
func (d *Directory) CheckWritable(c Change, typ string, profile map[string]any) error {
	t := d.typeNamed(typ)
	for name, v := range profile {
		if v == nil {
			continue
		}
		if err := checkWritable(c, t, name); err != nil {
			return err
		}
	}
	return nil
}
