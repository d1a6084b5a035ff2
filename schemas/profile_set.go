package schemas

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// FromProfile makes a resource out of a flat profile.
func (t *Type) FromProfile(p map[string]any) (*Resource, error) {
	r := &Resource{Type: t, root: node{attr: t.root}}
	if err := r.SetProfile(p); err != nil {
		return nil, err
	}
	for _, s := range t.slots {
		if s.attr.Required && s.attr.Default == nil && s.node(&r.root) == nil {
			return nil, s.errorf("it is required and missing")
		}
	}
	return r, nil
}

// SetProfile merges p into the resource: nil and the empty string remove, what is not
// named stays. It sets all or nothing; an *Error has the profile name as its Path.
// Values that do not change are not validated again: a SCIM client may have stored
// what the profile would refuse.
func (r *Resource) SetProfile(p map[string]any) error {
	root := r.root.clone()
	for _, s := range r.Type.slots {
		v, ok := p[s.Name]
		if !ok {
			continue
		}
		n, err := s.convert(v)
		if err != nil {
			return err
		}
		if sameValue(n, s.node(&root)) {
			continue
		}
		if err := s.validate(n); err != nil {
			return err
		}
		s.store(&root, n)
	}
	if err := r.Type.checkNames(p); err != nil {
		return err
	}
	root.prune()
	r.root = root
	return nil
}

// checkNames refuses names that the profile does not have, the first in order.
func (t *Type) checkNames(p map[string]any) error {
	var unknown []string
	for name := range p {
		if _, ok := t.profile[name]; !ok {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return errorf(InvalidValue, slices.Min(unknown), "it is not defined in profile")
}

// convert turns a Go value into a node; nil for none.
func (s *slot) convert(v any) (*node, error) {
	if v == nil || v == "" {
		return nil, nil
	}
	if !s.attr.MultiValued || s.list != nil {
		text, err := s.text(v)
		return &node{attr: s.attr, text: text}, err
	}
	var list []any
	switch v := v.(type) {
	case []any:
		list = v
	case []string:
		for _, x := range v {
			list = append(list, x)
		}
	default:
		return nil, s.errorf("want array, got %s", typeName(v))
	}
	if len(list) == 0 {
		return nil, nil
	}
	n := &node{attr: s.attr}
	for _, x := range list {
		text, err := s.text(x)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, node{attr: s.attr, text: text})
	}
	if len(n.kids) > maxElements {
		return nil, s.errorf("more than %d values", maxElements)
	}
	return n, nil
}

func (s *slot) errorf(format string, args ...any) *Error {
	return errorf(InvalidValue, s.Name, format, args...)
}

// text is the canonical text of one value.
func (s *slot) text(v any) (string, error) {
	switch s.attr.Type {
	case Boolean:
		if b, ok := v.(bool); ok {
			return boolText(b), nil
		}
	case Integer, Decimal:
		if text, ok := numberText(v); ok {
			canonical, err := s.attr.number(text)
			if err != nil {
				return "", s.errorf("want %s, got %s", s.attr.Type, clip(text))
			}
			return canonical, nil
		}
	default:
		if text, ok := v.(string); ok {
			return text, nil
		}
	}
	return "", s.errorf("want %s, got %s", s.attr.Type, typeName(v))
}

func numberText(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		return v.String(), isNumber(v.String())
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case int, int64, int32, uint64:
		return fmt.Sprint(v), true
	default:
		return "", false
	}
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case map[string]any:
		return "object"
	case []any, []string:
		return "array"
	default:
		return "number"
	}
}

// validate checks a new value against the slot and the attribute.
func (s *slot) validate(n *node) error {
	if n == nil {
		if s.attr.Required {
			return s.errorf("it is required")
		}
		return nil
	}
	texts := n.kids
	if texts == nil {
		texts = []node{*n}
	}
	for _, t := range texts {
		if err := s.validateText(t.text); err != nil {
			return err
		}
	}
	return nil
}

func (s *slot) validateText(text string) error {
	if s.attr.Type == Boolean || s.attr.Type == Integer || s.attr.Type == Decimal {
		if err := s.attr.check(text); err != nil {
			return s.errorf("%s", reason(err))
		}
		return nil
	}
	n := utf8.RuneCountInString(text)
	switch {
	case !utf8.ValidString(text), slices.Contains([]byte(text), 0):
		return s.errorf("the string is not valid UTF-8, or has a NUL")
	case s.Min > 0 && n < s.Min && s.Pattern == "":
		return s.errorf("want at least %d characters, got %d", s.Min, n)
	case s.Max > 0 && n > s.Max:
		return s.errorf("want at most %d characters, got %d", s.Max, n)
	}
	switch {
	case s.login != nil:
		if !s.login.MatchString(text) {
			return s.errorf("want a match of %s", s.Pattern)
		}
	case s.Format != "":
		if err := CheckFormat(s.Format, text); err != nil {
			return s.errorf("%v", err)
		}
	}
	if err := s.attr.check(text); err != nil {
		return s.errorf("%s", reason(err))
	}
	return nil
}

func reason(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return err.Error()
}
