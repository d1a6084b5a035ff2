package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var placeholder = regexp.MustCompile(`\{\{([A-Za-z0-9_.-]+)\}\}`)

// timeForm is a time of RFC 3339.
const timeForm = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)`

// values are what the names of a file have come to mean.
type values map[string]string

// fill replaces the names in a text that is sent.
func (v values) fill(text string) (string, error) {
	var missing error
	filled := placeholder.ReplaceAllStringFunc(text, func(name string) string {
		value, ok := v[name[2:len(name)-2]]
		if !ok {
			missing = fmt.Errorf("%s has no value yet", name)
		}
		return value
	})
	return filled, missing
}

// match compares a text with what is expected of it, and learns the names that are new.
func (v values) match(expected, got string) error {
	var form strings.Builder
	var learn []string
	form.WriteString(`(?s)^`)
	end := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(expected, -1) {
		form.WriteString(regexp.QuoteMeta(expected[end:at[0]]))
		end = at[1]
		switch name := expected[at[2]:at[3]]; {
		case name == "any":
			form.WriteString(`.*`)
		case name == "time":
			form.WriteString(timeForm)
		case v[name] != "":
			form.WriteString(regexp.QuoteMeta(v[name]))
		default:
			form.WriteString(`(.+?)`)
			learn = append(learn, name)
		}
	}
	form.WriteString(regexp.QuoteMeta(expected[end:]) + `$`)
	found := regexp.MustCompile(form.String()).FindStringSubmatch(got)
	if found == nil {
		return fmt.Errorf("got %q, want %q", got, expected)
	}
	for i, name := range learn {
		v[name] = found[i+1]
	}
	return nil
}

// matchJSON compares a body with what is expected of it.
func (v values) matchJSON(expected, got []byte) error {
	var e, g any
	if err := json.Unmarshal(expected, &e); err != nil {
		return fmt.Errorf("the expected body is no JSON: %w", err)
	}
	if err := json.Unmarshal(got, &g); err != nil {
		return fmt.Errorf("the body is no JSON: %w", err)
	}
	return v.matchValue("", e, g)
}

func (v values) matchValue(at string, expected, got any) error {
	switch e := expected.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: got %s, want an object", at, short(got))
		}
		var all []error
		for _, name := range slices.Sorted(maps.Keys(e)) {
			all = append(all, v.matchMember(at+"/"+name, e[name], g, name))
		}
		return errors.Join(all...)
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(e) {
			return fmt.Errorf("%s: got %s, want %d elements", at, short(got), len(e))
		}
		var all []error
		for i := range e {
			all = append(all, v.matchValue(fmt.Sprintf("%s/%d", at, i), e[i], g[i]))
		}
		return errors.Join(all...)
	case string:
		g, ok := got.(string)
		if e == "{{any}}" && got != nil {
			return nil
		}
		if !ok {
			return fmt.Errorf("%s: got %s, want %q", at, short(got), e)
		}
		if err := v.match(e, g); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		return nil
	}
	if expected != got {
		return fmt.Errorf("%s: got %s, want %s", at, short(got), short(expected))
	}
	return nil
}

func (v values) matchMember(at string, expected any, got map[string]any, name string) error {
	value, there := got[name]
	switch {
	case expected == nil && there && value != nil:
		return fmt.Errorf("%s: got %s, want none", at, short(value))
	case expected == nil:
		return nil
	case !there:
		return fmt.Errorf("%s: it is missing", at)
	}
	return v.matchValue(at, expected, value)
}

// short is a value for a message.
func short(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(b) > 200 {
		return string(b[:200]) + "..."
	}
	return string(b)
}
