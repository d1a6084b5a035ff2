package schemas

// MemberChange is what the member operations of a PATCH request come to, whatever
// the group holds: adding a member that is there, or removing one that is not,
// changes nothing.
type MemberChange struct {
	// Replace says that Set is the whole new membership; Add and Remove are empty.
	Replace bool
	Set     []string
	// Add and Remove have no id in common, each in the order given.
	Add, Remove []string
}

// Empty says that nothing changes.
func (m MemberChange) Empty() bool { return !m.Replace && len(m.Add) == 0 && len(m.Remove) == 0 }

// Apply returns what members becomes.
func (m MemberChange) Apply(members []Member) []Member {
	if m.Empty() {
		return members
	}
	var kept []Member
	have := map[string]bool{}
	if !m.Replace {
		gone := make(map[string]bool, len(m.Remove))
		for _, id := range m.Remove {
			gone[id] = true
		}
		for _, old := range members {
			if !gone[old.Value] {
				kept = append(kept, old)
				have[old.Value] = true
			}
		}
	}
	for _, id := range append(m.Set[:len(m.Set):len(m.Set)], m.Add...) {
		if !have[id] {
			kept = append(kept, Member{Value: id})
			have[id] = true
		}
	}
	return kept
}

// SplitMembers takes the operations on members of a group out of ops, so that they
// can go straight to the rows of the membership without loading them. The order of
// the operations is kept in what they come to.
func SplitMembers(ops []PatchOp) (rest []PatchOp, m MemberChange, err error) {
	first := -1
	for i := range ops {
		if ops[i].attr.place == isMembers {
			first = i
			break
		}
	}
	if first < 0 {
		return ops, m, nil
	}
	b := memberBuilder{state: map[string]bool{}}
	rest = append(rest, ops[:first]...)
	for i := first; i < len(ops); i++ {
		if ops[i].attr.place != isMembers {
			rest = append(rest, ops[i])
			continue
		}
		if err := b.apply(&ops[i]); err != nil {
			return nil, m, ops[i].in(err)
		}
	}
	return rest, b.change(), nil
}

// memberBuilder folds operations into one change.
type memberBuilder struct {
	replace bool
	order   []string
	state   map[string]bool // true: added last, false: removed last
}

func (b *memberBuilder) apply(op *PatchOp) error {
	if op.sub != nil {
		// RFC 7643, section 4.2: the sub-attributes of members are immutable.
		return errorf(Mutability, op.Path, "it is immutable; remove the member and add another")
	}
	ids, err := op.memberIDs()
	if err != nil {
		return err
	}
	whole := op.filter == nil
	switch {
	case op.Op == "remove" && whole && !op.has, op.Op == "replace" && whole:
		b.replace, b.order, b.state = true, nil, map[string]bool{}
		b.mark(ids, true)
	case op.Op == "remove":
		b.mark(ids, false)
	default:
		b.mark(ids, true)
	}
	return nil
}

func (b *memberBuilder) mark(ids []string, present bool) {
	for _, id := range ids {
		if _, ok := b.state[id]; !ok {
			b.order = append(b.order, id)
		}
		b.state[id] = present
	}
}

func (b *memberBuilder) change() MemberChange {
	m := MemberChange{Replace: b.replace}
	for _, id := range b.order {
		switch present := b.state[id]; {
		case present && b.replace:
			m.Set = append(m.Set, id)
		case present:
			m.Add = append(m.Add, id)
		case !b.replace:
			m.Remove = append(m.Remove, id)
		}
	}
	return m
}

// memberIDs are the members that an operation names: in its value, or by a filter of
// value eq terms.
func (o *PatchOp) memberIDs() ([]string, error) {
	if o.filter != nil {
		if o.Op != "remove" {
			return nil, errorf(InvalidPath, o.Path, "only remove takes a value filter on members")
		}
		return filteredIDs(nil, o.filter)
	}
	if !o.has {
		return nil, nil
	}
	stripped := o.value.stripped()
	members, err := membersOf(&stripped)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.Value
	}
	return ids, nil
}

func filteredIDs(ids []string, f Node) ([]string, error) {
	switch f := f.(type) {
	case *Or:
		var err error
		for _, t := range f.Terms {
			if ids, err = filteredIDs(ids, t); err != nil {
				return nil, err
			}
		}
		return ids, nil
	case *Compare:
		if f.Op == EQ && lower(f.Attr.attr.Name) == "value" {
			return append(ids, f.text), nil
		}
	}
	return nil, errorf(InvalidFilter, "members", "want value eq terms joined by or")
}
