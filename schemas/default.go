package schemas

// compileDefault turns the default of an attribute into its value.
func (t *Type) compileDefault(a *attr) error {
	if a.Default == nil {
		return nil
	}
	s := &slot{BaseAttribute: BaseAttribute{Name: a.Name}, attr: a}
	n, err := s.convert(a.Default)
	if err == nil && n != nil {
		err = s.validate(n)
	}
	if err != nil {
		return err
	}
	if n != nil {
		t.defaults = append(t.defaults, *n)
	}
	return nil
}

// ApplyDefaults gives a new resource the defaults of the attributes that it has no value
// of. Of one that replaces another, only is what is required given its default.
func (r *Resource) ApplyDefaults(replaces bool) {
	for _, n := range r.Type.defaults {
		if replaces && !n.attr.Required {
			continue
		}
		holder := &r.root
		for _, up := range n.attr.ancestors() {
			if holder.kid(up) == nil {
				holder.put(node{attr: up})
			}
			holder = holder.kid(up)
		}
		if holder.kid(n.attr) == nil {
			holder.put(n.clone())
		}
	}
}
