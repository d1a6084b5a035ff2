package schemas

// MemberChange is what the member operations of a PATCH request come to, whatever
// the group holds: adding a member that is there, or removing one that is not,
// changes nothing.
type MemberChange struct {
	// Replace says that Set is the whole new membership; Where, Remove and Add are empty.
	Replace bool
	Set     []string
	// Where are value filters: the members that satisfy one of them go, before anybody
	// is added.
	Where []Node
	// Add and Remove have no id in common, each in the order given.
	Add, Remove []string
	// Then is what is done afterwards, nil for nothing: a value filter also means those
	// whom an earlier operation has added.
	Then *MemberChange
}

// Empty says that nothing changes.
func (m MemberChange) Empty() bool {
	return !m.Replace && len(m.Where) == 0 && len(m.Add) == 0 && len(m.Remove) == 0 && m.Then == nil
}

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
			if !gone[old.Value] && !old.matchesOne(m.Where) {
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
	if m.Then != nil {
		return m.Then.Apply(kept)
	}
	return kept
}

func (m Member) matchesOne(filters []Node) bool {
	for _, f := range filters {
		if m.element(f).matches(f) {
			return true
		}
	}
	return false
}

// element is the member as the attribute that a filter speaks of has it.
func (m Member) element(f Node) *node {
	n := &node{attr: firstAttr(f).parent}
	for name, text := range map[string]string{"value": m.Value, "type": m.Type, "display": m.Display, "$ref": m.Ref} {
		if a := n.attr.sub(name); a != nil && text != "" {
			n.setText(a, text)
		}
	}
	return n
}

func firstAttr(f Node) *attr {
	switch f := f.(type) {
	case *And:
		return firstAttr(f.Terms[0])
	case *Or:
		return firstAttr(f.Terms[0])
	case *Not:
		return firstAttr(f.Term)
	}
	return f.(*Compare).Attr.attr // a value filter has no value path inside
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

// maxMemberFilters bounds the value filters of a request that do not name who they mean:
// each looks through all members.
const maxMemberFilters = 20

// memberBuilder folds operations into one change, or into as few as there can be.
type memberBuilder struct {
	done    []MemberChange
	replace bool
	where   []Node
	filters int // how many there were
	order   []string
	state   map[string]bool // true: added last, false: removed last
}

func (b *memberBuilder) apply(op *PatchOp) error {
	if op.sub != nil {
		// RFC 7643, section 4.2: the sub-attributes of members are immutable.
		return errorf(Mutability, op.Path, "it is immutable; remove the member and add another")
	}
	if op.filter != nil {
		return b.removeWhere(op)
	}
	ids, err := op.memberIDs()
	if err != nil {
		return err
	}
	switch {
	case op.Op == "remove" && !op.has, op.Op == "replace":
		*b = memberBuilder{replace: true, state: map[string]bool{}, filters: b.filters}
		b.mark(ids, true)
	case op.Op == "remove":
		b.mark(ids, false)
	default:
		b.mark(ids, true)
	}
	return nil
}

// removeWhere takes members out by a value filter. One that names them by value is the
// same as a list of values.
func (b *memberBuilder) removeWhere(op *PatchOp) error {
	if op.Op != "remove" {
		return errorf(InvalidPath, op.Path, "only remove takes a value filter on members")
	}
	if ids, ok := namedIDs(nil, op.filter); ok {
		b.mark(ids, false)
		return nil
	}
	if b.filters++; b.filters > maxMemberFilters {
		return errorf(InvalidFilter, op.Path, "more than %d value filters on members; name them by value", maxMemberFilters)
	}
	if b.adds() {
		b.done = append(b.done, b.step())
		b.replace, b.where, b.order, b.state = false, nil, nil, map[string]bool{}
	}
	b.where = append(b.where, op.filter)
	return nil
}

func (b *memberBuilder) adds() bool {
	for _, present := range b.state {
		if present {
			return true
		}
	}
	return b.replace
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
	m := b.step()
	for i := len(b.done) - 1; i >= 0; i-- {
		then := m
		m = b.done[i]
		m.Then = &then
	}
	return m
}

func (b *memberBuilder) step() MemberChange {
	m := MemberChange{Replace: b.replace, Where: b.where}
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

// memberIDs are the members that the value of an operation names.
func (o *PatchOp) memberIDs() ([]string, error) {
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

// namedIDs are the members that a filter names by value, if that is all it does.
func namedIDs(ids []string, f Node) (named []string, ok bool) {
	switch f := f.(type) {
	case *Or:
		for _, t := range f.Terms {
			if ids, ok = namedIDs(ids, t); !ok {
				return nil, false
			}
		}
		return ids, true
	case *Compare:
		if f.Op == EQ && f.Attr.Sub == "value" {
			return append(ids, f.text), true
		}
	}
	return nil, false
}
