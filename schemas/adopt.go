package schemas

// A request is parsed under the version of the schema that is in force when it comes. By
// the time it is stored there may be a newer one. The functions here bring what was
// parsed to another version, as if it had been parsed under it.

// Adopt returns r under the version t of its type: r itself when it is of that version.
// What t does not have is left out; a value that t refuses is an *Error.
func (t *Type) Adopt(r *Resource) (*Resource, error) {
	if r.Type == t {
		return r, nil
	}
	c := r.Clone()
	c.Type = t
	root, err := r.root.adopt(t.root)
	if err != nil {
		return nil, err
	}
	root.prune() // what t does not have may have been all that an attribute had
	c.root = root
	return c, checkRequired(&root, InvalidValue)
}

// adopt returns a copy of n that is of the attribute a.
func (n *node) adopt(a *attr) (node, error) {
	c := node{attr: a}
	if n.isUnset() {
		c.kids = unset
		return c, nil
	}
	if n.attr.MultiValued != a.MultiValued || n.attr.Type != a.Type {
		return c, errorf(InvalidValue, a.path, "the schema has changed: want %s", a.Type)
	}
	if n.attr.MultiValued && n.kids != nil {
		return c, n.adoptElements(&c)
	}
	if a.Type != Complex {
		c.text = n.text
		return c, a.check(n.text)
	}
	return c, n.adoptMembers(&c)
}

func (n *node) adoptElements(c *node) error {
	for i := range n.kids {
		e, err := n.kids[i].adoptElement(c.attr)
		if err != nil {
			return err
		}
		c.kids = append(c.kids, e)
	}
	return nil
}

// adoptElement is adopt of one element of a multi-valued attribute.
func (n *node) adoptElement(a *attr) (node, error) {
	e := node{attr: a, text: n.text}
	if a.Type == Complex {
		return e, n.adoptMembers(&e)
	}
	return e, a.check(e.text)
}

func (n *node) adoptMembers(c *node) error {
	for i := range n.kids {
		a := c.attr.sub(n.kids[i].attr.Name)
		if a == nil {
			continue
		}
		k, err := n.kids[i].adopt(a)
		if err != nil {
			return err
		}
		c.put(k)
	}
	return nil
}

// AdoptPatch returns ops under the version t of their type.
func (t *Type) AdoptPatch(ops []PatchOp, d Dialect) ([]PatchOp, error) {
	if len(ops) == 0 || ops[0].attr.root() == t.root {
		return ops, nil
	}
	adopted := make([]PatchOp, len(ops))
	for i, o := range ops {
		a, err := t.adoptOp(o, d)
		if err != nil {
			return nil, o.in(err)
		}
		adopted[i] = a
	}
	return adopted, nil
}

func (t *Type) adoptOp(o PatchOp, d Dialect) (PatchOp, error) {
	a, err := t.parsePath(o.Path, d)
	if err != nil {
		return a, err
	}
	a.Op, a.Index, a.has, a.partial = o.Op, o.Index, o.has, o.partial
	if err := a.checkMutable(); err != nil {
		return a, err
	}
	if o.value.attr == nil {
		return a, nil
	}
	if o.filter != nil && o.sub == nil && o.has {
		a.value, err = o.value.adoptElement(a.target())
	} else {
		a.value, err = o.value.adopt(a.target())
	}
	return a, err
}

// root is the attribute of the whole resource that a is part of.
func (a *attr) root() *attr {
	for a.parent != nil {
		a = a.parent
	}
	return a
}
