package schemas

// Attributes that are never returned are secrets: nobody is shown them, not in a
// response, a profile, an event or a log, and their values are kept in another form
// than they came in. The password is none of them: it is no part of a document.

// Seal returns a copy of r in which every secret value that was does not have has the form
// in which it is kept. seal is called with the format of the attribute and the value. was
// is what r replaces, nil for none.
func (r *Resource) Seal(was *Resource, seal func(format, value string) string) *Resource {
	if !r.Type.secrets {
		return r
	}
	r = r.Clone()
	kept := map[[2]string]bool{}
	if was != nil {
		was.root.leaves(0, func(n *node, _ int) {
			if n.attr.secret {
				kept[[2]string{n.attr.path, n.text}] = true
			}
		})
	}
	r.root.leaves(0, func(n *node, _ int) {
		if n.attr.secret && !kept[[2]string{n.attr.path, n.text}] {
			n.text = seal(n.attr.Format, n.text)
		}
	})
	return r
}

// Shown returns a stored document without its secrets.
func (t *Type) Shown(doc []byte) ([]byte, error) {
	if !t.secrets {
		return doc, nil
	}
	r, err := t.Decode(doc)
	if err != nil {
		return nil, err
	}
	r.root.dropSecrets()
	r.root.prune()
	return r.Doc(), nil
}

func (n *node) dropSecrets() {
	kept := n.kids[:0]
	for i := range n.kids {
		k := &n.kids[i]
		if k.attr.secret {
			continue
		}
		k.dropSecrets()
		kept = append(kept, *k)
	}
	n.kids = kept
}
