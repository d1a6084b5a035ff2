package manage

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

const baseAt = "definitions.base.properties."

// nullable are the base attributes that need not be required.
var nullable = []string{"firstName", "lastName"}

// editBase changes what can be changed of base attributes: the permissions of people on
// their own profile, whether a name is required, and the pattern of the login. Everything
// else may be sent as it was read.
func (h *handlers) editBase(defs *schemas.Definitions, s profileSchema, p part) error {
	shown, required := h.base(s)
	for _, name := range slices.Sorted(maps.Keys(p.properties)) {
		was, ok := shown[name]
		if !ok {
			return httpapi.Invalid(baseAt+name, baseAt+name+": there is no such base attribute")
		}
		if err := editBaseAttribute(defs, s, name, was, p.properties[name]); err != nil {
			return err
		}
	}
	return requireBase(defs, s, p, required)
}

func editBaseAttribute(defs *schemas.Definitions, s profileSchema, name string, was property, raw json.RawMessage) error {
	at := baseAt + name
	var given keys
	if err := json.Unmarshal(raw, &given); err != nil || given == nil {
		return httpapi.Invalid(at, at+": a base attribute is an object, and cannot be removed")
	}
	shown, err := merge(was, nil)
	if err != nil {
		return err
	}
	change := defs.Base[s.typ+"."+name]
	for _, key := range slices.Sorted(maps.Keys(given)) {
		known, err := changeBase(&change, s, name, key, given[key])
		if err != nil {
			return httpapi.Invalid(at+"."+key, at+"."+key+": "+err.Error())
		}
		if !known && !sameRaw(shown[key], given[key]) {
			return httpapi.Invalid(at+"."+key, at+"."+key+": of a base attribute only permissions, the pattern of the login, and whether a name is required can be changed")
		}
	}
	if change == (schemas.BaseChange{}) {
		delete(defs.Base, s.typ+"."+name)
	} else {
		defs.Base[s.typ+"."+name] = change
	}
	return nil
}

// changeBase changes one key of a base attribute; known is false for one that stays as it is.
func changeBase(c *schemas.BaseChange, s profileSchema, name, key string, raw json.RawMessage) (known bool, err error) {
	switch {
	case s.typ != "User":
		return false, nil
	case key == "permissions":
		var a schemas.Attribute
		if err := decodePermissions(&a, raw); err != nil {
			return true, err
		}
		if !slices.Contains([]string{"", schemas.SelfHide, schemas.SelfReadOnly, schemas.SelfReadWrite}, a.Self) {
			return true, wrongKey("action", "want HIDE, READ_ONLY or READ_WRITE, got %q", a.Self)
		}
		c.Self = a.Self
		return true, nil
	case key == "required" && slices.Contains(nullable, name):
		required := true
		if err := json.Unmarshal(raw, &required); err != nil {
			return true, orWrong(err, "value")
		}
		c.Nullable = !required
		return true, nil
	case key == "pattern" && name == "login":
		c.Pattern = ""
		if err := json.Unmarshal(raw, &c.Pattern); err != nil {
			return true, orWrong(err, "value")
		}
		return true, schemas.CheckLoginPattern(c.Pattern)
	case (key == "format" || key == "minLength") && name == "login":
		return true, nil // they follow from the pattern
	}
	return false, nil
}

// sameRaw compares JSON; what is absent is as good as null or false.
func sameRaw(a, b json.RawMessage) bool {
	var x, y any
	if json.Unmarshal(orNull(a), &x) != nil || json.Unmarshal(orNull(b), &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}

func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil || string(raw) == "false" {
		return json.RawMessage("null")
	}
	return raw
}

// requireBase reads the list of required base attributes, of which only names may lack.
func requireBase(defs *schemas.Definitions, s profileSchema, p part, required []string) error {
	const at = "definitions.base.required"
	if p.required == nil {
		return nil
	}
	for _, name := range p.required {
		if !slices.Contains(required, name) && !(s.typ == "User" && slices.Contains(nullable, name)) {
			return httpapi.Invalid(at, at+": "+name+" cannot be required")
		}
	}
	for _, b := range schemas.BaseAttributes() {
		if s.typ != "User" || !b.Required {
			continue
		}
		listed := slices.Contains(p.required, b.Name)
		if !slices.Contains(nullable, b.Name) {
			if !listed {
				return httpapi.Invalid(at, at+": "+b.Name+" is always required")
			}
			continue
		}
		if given, ok := p.properties[b.Name]; ok && mentions(given, "required") {
			continue // the property says it itself
		}
		key := s.typ + "." + b.Name
		c := defs.Base[key]
		if c.Nullable = !listed; c == (schemas.BaseChange{}) {
			delete(defs.Base, key)
		} else {
			defs.Base[key] = c
		}
	}
	return nil
}

func mentions(raw json.RawMessage, key string) bool {
	var given keys
	return json.Unmarshal(raw, &given) == nil && given[key] != nil
}
