package schemas

import (
	"errors"
	"strings"
)

// Patch applies ops, in order, to a copy of r (RFC 7644, section 3.5.2): either all
// of them, or an *Error and nothing. Member operations of a group change Members of
// the copy; a caller that keeps members as rows takes them out first (SplitMembers).
func (t *Type) Patch(r *Resource, ops []PatchOp, d Dialect) (*Resource, error) {
	ops, err := t.AdoptPatch(ops, d)
	if err != nil {
		return nil, err
	}
	rest, change, err := SplitMembers(ops)
	if err != nil {
		return nil, err
	}
	root := r.join()
	p := patcher{d: d, work: maxPatchWork}
	for i := range rest {
		p.op = &rest[i]
		if err := p.apply(&root); err != nil {
			return nil, rest[i].in(err)
		}
	}
	root.retain(&r.root, func(a *attr, _ bool) bool { return a.Mutability == ReadOnly })
	root.prune()
	if err := checkRequired(&root, Mutability); err != nil {
		return nil, InOperation(err, ops)
	}
	patched, err := t.resource(root)
	if err != nil {
		return nil, err
	}
	patched.Members = change.Apply(r.Members)
	if err := t.CheckImmutable(r, patched); err != nil {
		return nil, InOperation(err, ops)
	}
	return patched, nil
}

// InOperation says in an *Error that names an attribute which of ops it is about.
func InOperation(err error, ops []PatchOp) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Operation != 0 || e.Path == "" {
		return err
	}
	named := *e
	named.Operation = OperationOn(ops, e.Path)
	return &named
}

// OperationOn returns which operation last spoke of the attribute at path, of what it is
// part of, or of a part of it; 0 for none.
func OperationOn(ops []PatchOp, path string) int {
	for i := len(ops) - 1; i >= 0; i-- {
		if at := ops[i].target().path; at == path || isWithin(at, path) || isWithin(path, at) {
			return ops[i].Index
		}
	}
	return 0
}

// isWithin says that the attribute at path is a part of the one at whole.
func isWithin(path, whole string) bool {
	return len(path) > len(whole) && strings.HasPrefix(path, whole) && (path[len(whole)] == '.' || path[len(whole)] == ':')
}

// in says in an error which operation it is about.
func (o *PatchOp) in(err error) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Operation == 0 {
		e.Operation = o.Index
	}
	return err
}

// maxPatchWork bounds how often the values of a resource are compared with those of a
// request: a change holds the writer for as long as it takes.
const maxPatchWork = 4_000_000

// patcher applies operations.
type patcher struct {
	op   *PatchOp
	d    Dialect
	work int // comparisons that may still be made
}

// compares takes n comparisons from what the request may cost.
func (p *patcher) compares(n int) error {
	if p.work -= n; p.work < 0 {
		return errorf(InvalidValue, p.op.attr.path, "the operations compare more than %d values; send fewer at a time", maxPatchWork)
	}
	return nil
}

func (p *patcher) apply(root *node) error {
	holder := root
	if chain := p.op.attr.ancestors(); len(chain) > 0 {
		for _, a := range chain {
			k := holder.kid(a)
			if k == nil && !p.op.has {
				return p.missed()
			}
			if k == nil {
				holder.put(node{attr: a})
				k = holder.kid(a)
			}
			holder = k
		}
	}
	switch {
	case p.op.filter != nil || p.op.each:
		return p.elements(holder)
	case p.op.Op == "remove" && p.op.has:
		return p.removeValues(holder)
	case !p.op.has:
		holder.drop(p.op.attr)
		return nil
	default:
		return p.set(holder, p.op.value)
	}
}

// ancestors of a below the root, outermost first: an extension, a complex attribute.
func (a *attr) ancestors() []*attr {
	if a.parent == nil || a.parent.parent == nil {
		return nil
	}
	return append(a.parent.ancestors(), a.parent)
}

// missed is about a value path that selects nothing. To remove what is not there by
// a plain path is no error.
func (p *patcher) missed() error {
	if p.op.filter == nil || p.op.Op == "remove" && p.d.IgnoreMissedRemove {
		return nil
	}
	return errorf(NoTarget, p.op.Path, "no value matches the filter")
}

// set adds or replaces a whole attribute of holder.
func (p *patcher) set(holder *node, v node) error {
	a := v.attr
	if v.isUnset() {
		if p.op.Op == "replace" {
			holder.drop(a)
		}
		return nil
	}
	old := holder.kid(a)
	switch {
	case a.MultiValued && p.op.Op == "add":
		if old == nil {
			holder.put(node{attr: a})
			old = holder.kid(a)
		}
		return p.addElements(old, v)
	case a.Type == Complex && !a.MultiValued:
		return p.merge(holder, old, v)
	default:
		holder.put(v.stripped())
		return nil
	}
}

// merge sets the sub-attributes that v has and leaves the others as they are.
func (p *patcher) merge(holder, old *node, v node) error {
	if old == nil {
		holder.put(node{attr: v.attr})
		old = holder.kid(v.attr)
	}
	for _, k := range v.kids {
		if err := p.set(old, k); err != nil {
			return err
		}
	}
	return nil
}

// addElements appends the elements of v that n does not have yet.
func (p *patcher) addElements(n *node, v node) error {
	before := len(n.kids)
	if err := p.compares(len(v.kids) * (before + len(v.kids))); err != nil {
		return err
	}
	for _, e := range v.stripped().kids {
		if !n.holds(&e) {
			n.kids = append(n.kids, e)
		}
	}
	n.onePrimary(func(i int) bool { return i >= before })
	return checkElements(n.attr, len(n.kids))
}

func (n *node) holds(e *node) bool {
	for i := range n.kids {
		if n.kids[i].covers(e) {
			return true
		}
	}
	return false
}

// onePrimary takes primary from the elements that are not fresh, if a fresh one has
// it (RFC 7644, section 3.5.2).
func (n *node) onePrimary(fresh func(i int) bool) {
	if n.attr.primary == nil {
		return
	}
	taken := false
	for i := range n.kids {
		taken = taken || fresh(i) && n.kids[i].isPrimary()
	}
	for i := range n.kids {
		if taken && !fresh(i) && n.kids[i].isPrimary() {
			n.kids[i].setText(n.attr.primary, "false")
		}
	}
}

// stripped returns v without the nulls in it.
func (n node) stripped() node {
	if len(n.kids) == 0 {
		return n
	}
	kept := make([]node, 0, len(n.kids))
	for _, k := range n.kids {
		if !k.isUnset() {
			kept = append(kept, k.stripped())
		}
	}
	n.kids = kept
	return n
}
