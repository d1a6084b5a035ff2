package schemas

import (
	"strconv"
	"strings"
)

// Elements says which members of a group a request asks for, in the brackets after
// their name in the parameter attributes: members[type eq "Group"], or a page of them,
// members[startIndex=1&count=100] (draft-hunt-scim-mv-paging-00), or by a cursor,
// members[cursor=&count=100], or both, members[type eq "Group"&count=10].
type Elements struct {
	Filter *Filter // nil for all
	// Paged asks for Count elements from StartIndex on, or after a Cursor.
	Paged             bool
	StartIndex, Count int
	UseCursor         bool
	Cursor            string
}

// elementsCount is how many elements a page has that does not say.
const elementsCount = 100

// parseElements reads what stands between the brackets after a.
func (t *Type) parseElements(a *attr, text string) (*Elements, error) {
	e := &Elements{StartIndex: 1, Count: elementsCount}
	for part := range splitOutside(text, '&') {
		name, value, _ := strings.Cut(part, "=")
		var err error
		switch lower(strings.TrimSpace(name)) {
		case "startindex":
			e.Paged = true
			e.StartIndex, err = elementNumber(a, "startIndex", value)
		case "count":
			e.Paged = true
			e.Count, err = elementNumber(a, "count", value)
		case "cursor":
			e.Paged, e.UseCursor, e.Cursor = true, true, strings.TrimSpace(value)
		default:
			if e.Filter != nil {
				return nil, errorf(InvalidFilter, a.path, "two filters in brackets; join them by and")
			}
			e.Filter, err = t.elementFilter(a, part)
		}
		if err != nil {
			return nil, err
		}
	}
	return e, nil
}

func elementNumber(a *attr, name, value string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil {
		return 0, errorf(InvalidValue, a.path, "%s: want an integer, got %q", name, clip(value))
	}
	return n, nil
}

// elementFilter reads a filter on the elements of a, as a value path has it.
func (t *Type) elementFilter(a *attr, text string) (*Filter, error) {
	f, err := t.ParseFilter(a.path+"["+text+"]", Dialect{})
	if err != nil {
		return nil, err
	}
	p, ok := f.Root.(*ValuePath)
	if !ok { // as of members[a] or members[b]
		return nil, errorf(InvalidFilter, a.path, "malformed brackets %q", clip(text))
	}
	f.Root = p.Node
	return f, nil
}

// splitOutside splits a list at a separator that stands outside of quotes and brackets.
func splitOutside(list string, separator byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, depth, quoted := 0, 0, false
		for i := 0; i < len(list); i++ {
			switch c := list[i]; {
			case quoted && c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '[':
				depth++
			case c == ']':
				depth--
			case c == separator && depth <= 0:
				if !yield(list[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(list[start:])
	}
}
