package schemas

import (
	"fmt"
	"regexp"
	"strings"
)

// slot is one attribute of the flat profile and its place in the resource.
type slot struct {
	BaseAttribute
	attr  *attr          // the simple attribute that holds the value
	login *regexp.Regexp // what takes the place of Format, or nil

	list *attr  // the multi-valued attribute of which one element is meant, or nil
	kind string // the type of that element; of the primary one, what it is made with
	// primary: the element is the primary one, or what stands in for it.
	primary bool
}

// compileProfile makes the slots: the base attributes, and the attributes of the
// extensions that belong to the profile.
func (t *Type) compileProfile() error {
	t.profile = map[string]*slot{}
	for _, b := range t.def.Base {
		s, err := t.baseSlot(b)
		if err == nil {
			err = t.addSlot(s)
		}
		if err != nil {
			return err
		}
	}
	for _, x := range t.def.Extensions {
		if !x.Profile {
			continue
		}
		parent, _ := t.schema(x.Schema.ID)
		for _, a := range parent.subs {
			if a.Type == Complex {
				continue // the flat profile has no place for it
			}
			if err := t.addSlot(&slot{BaseAttribute: BaseAttribute{Name: a.Name}, attr: a}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Type) addSlot(s *slot) error {
	if _, ok := t.profile[s.Name]; ok {
		return fmt.Errorf("attribute %s: the profile already has the name", s.Name)
	}
	t.profile[s.Name] = s
	t.slots = append(t.slots, s)
	return nil
}

// baseSlot finds what the SCIM path of a base attribute means.
func (t *Type) baseSlot(b BaseAttribute) (*slot, error) {
	s := &slot{BaseAttribute: b}
	if b.Pattern != "" {
		var err error
		if s.login, err = loginPattern(b.Pattern); err != nil {
			return nil, fmt.Errorf("profile attribute %s: %w", b.Name, err)
		}
	}
	name, rest, selected := strings.Cut(b.Path, "[")
	s.attr = t.find(name)
	if s.attr == nil {
		return nil, fmt.Errorf("profile attribute %s: the type has no %s", b.Name, name)
	}
	if !selected {
		return s, nil
	}
	condition, sub, _ := strings.Cut(rest, "].")
	s.list, s.attr = s.attr, s.attr.sub(sub)
	s.primary, s.kind = true, "work"
	if kind, ok := strings.CutPrefix(condition, `type eq "`); ok {
		s.primary, s.kind = false, strings.TrimSuffix(kind, `"`)
	}
	if s.attr == nil || s.list.primary == nil || s.list.sub("type") == nil {
		return nil, fmt.Errorf("profile attribute %s: %s lacks a sub-attribute", b.Name, name)
	}
	return s, nil
}

// loginForm are the patterns that a login may have: anything, or the characters of a
// set in which a hyphen comes first and whatever is no letter or digit is escaped.
var loginForm = regexp.MustCompile(`^\[-?(?:[a-zA-Z0-9]-[a-zA-Z0-9]|[a-zA-Z0-9]|\\[^a-zA-Z0-9])+\]\+$`)

// CheckLoginPattern says what is wrong with a pattern of the login; none is in order.
func CheckLoginPattern(pattern string) error {
	if pattern == "" {
		return nil
	}
	_, err := loginPattern(pattern)
	return err
}

func loginPattern(pattern string) (*regexp.Regexp, error) {
	if pattern != ".+" && (!loginForm.MatchString(pattern) || len(pattern) > maxPattern) {
		return nil, fmt.Errorf("want .+ or a set of characters as [-a-zA-Z0-9\\.]+")
	}
	return regexp.Compile(`^(?:` + pattern + `)$`)
}

// element returns the element that the slot means, or -1. The primary one is, when
// none is marked so, the first of type work; of e-mail addresses and postal
// addresses, else the first that no other slot means.
func (s *slot) element(n *node) int {
	if n == nil {
		return -1
	}
	work, first := -1, -1
	for i := range n.kids {
		kind := n.kids[i].textOf(s.list.sub("type"))
		switch {
		case !s.primary && strings.EqualFold(kind, s.kind), s.primary && n.kids[i].isPrimary():
			return i
		case work < 0 && strings.EqualFold(kind, s.kind):
			work = i
		case first < 0 && !s.reserved(kind):
			first = i
		}
	}
	switch {
	case !s.primary:
		return -1
	case work >= 0:
		return work
	default:
		return first
	}
}

// reserved says that an element of this type never stands in for the primary one: it
// is what another slot means, or no telephone for speaking.
func (s *slot) reserved(kind string) bool {
	switch lower(kind) {
	case "other":
		return lower(s.list.Name) == "emails"
	case "mobile", "fax", "pager":
		return lower(s.list.Name) == "phonenumbers"
	default:
		return false
	}
}

// node returns the value that the slot means, or nil.
func (s *slot) node(root *node) *node {
	holder := root
	a := s.attr
	if s.list != nil {
		a = s.list
	}
	for _, up := range a.ancestors() {
		if holder = holder.kid(up); holder == nil {
			return nil
		}
	}
	n := holder.kid(a)
	if s.list == nil || n == nil {
		return n
	}
	i := s.element(n)
	if i < 0 {
		return nil
	}
	return n.kids[i].kid(s.attr)
}
