package directory

import (
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/expr"
)

// UserVars are the values of the variable "user" for a user.
func (d *Directory) UserVars(u *User) (map[string]any, error) {
	p, err := d.Profile(u)
	if err != nil {
		return nil, err
	}
	vars := make(map[string]any, len(p)+2)
	for name, v := range p {
		vars[name] = v
	}
	vars["id"], vars["status"] = u.ID, string(u.Status)
	return vars, nil
}

// UserObject declares the variable "user" of expressions: the profile, id and status.
func (d *Directory) UserObject() expr.Object {
	o := expr.Object{Attributes: map[string]expr.Type{"id": expr.String, "status": expr.String}, NonNull: []string{"id", "status", "login"}}
	for name, t := range d.profileTypes() {
		o.Attributes[name] = t
	}
	return o
}

// profileTypes are the attributes of the profile with their types in expressions.
func (d *Directory) profileTypes() map[string]expr.Type {
	types, user := map[string]expr.Type{}, d.userType()
	for _, name := range user.ProfileNames() {
		if typ, multi, ok := user.ProfileType(name); ok {
			types[name] = exprType(typ, multi)
		}
	}
	return types
}

// exprType is the type of an attribute in expressions. A list of anything but strings is
// checked at run time.
func exprType(typ schemas.DataType, multi bool) expr.Type {
	switch {
	case multi && (typ == schemas.Integer || typ == schemas.Decimal || typ == schemas.Boolean):
		return expr.Any
	case multi:
		return expr.Strings
	case typ == schemas.Boolean:
		return expr.Bool
	case typ == schemas.Integer:
		return expr.Int
	case typ == schemas.Decimal:
		return expr.Number
	default:
		return expr.String
	}
}

// AppVars are the values of the variable "app".
func AppVars(a *App) map[string]any {
	return map[string]any{"id": a.ID, "name": a.Name, "label": a.Label}
}

var appObject = expr.Object{
	Attributes: map[string]expr.Type{"id": expr.String, "name": expr.String, "label": expr.String},
	NonNull:    []string{"id", "name", "label"},
}

// MappingEnv declares what the expressions of a mapping may name: "appuser" and "app"
// when it fills our profile from an app, "idpuser" beside it when from an identity
// provider, "user" and "app" when it fills an app's.
func (d *Directory) MappingEnv(m *Mapping) expr.Env {
	env := expr.Env{Objects: map[string]expr.Object{"app": appObject}}
	if !m.Inbound() {
		env.Objects["user"] = d.UserObject()
		return env
	}
	profile := d.partnerProfile(m.Source)
	env.Objects["appuser"], env.Objects["idpuser"] = profile, profile
	return env
}

// targetType is the type of what a property fills, Any for none that is known. It refuses
// a property whose target has no such attribute.
func (d *Directory) targetType(m *Mapping, name string) (expr.Type, error) {
	if m.Inbound() {
		t, ok := d.profileTypes()[name]
		if !ok {
			return t, &InvalidError{Field: name, Reason: "is no attribute of the user profile"}
		}
		return t, nil
	}
	o := d.partnerProfile(m.Target)
	t, ok := o.Attributes[name]
	if !ok && !o.Open {
		return t, &InvalidError{Field: name, Reason: "is no attribute of the app's profile"}
	}
	return t, nil
}
