package expr

import (
	"maps"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// typePrefix keeps the type names of our objects away from any name of CEL's own.
const typePrefix = "provost."

// provider tells the checker which attributes the objects of an Env have, so that an
// unknown name is refused when the expression is saved. At run time the objects are
// plain maps.
type provider struct {
	*types.Registry
	objects map[string]Object
}

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.object(name); ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if o, ok := p.object(name); ok {
		return slices.Sorted(maps.Keys(o.Attributes)), true
	}
	return p.Registry.FindStructFieldNames(name)
}

// FindStructFieldType implements types.Provider.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	o, ok := p.object(name)
	if !ok {
		return p.Registry.FindStructFieldType(name, field)
	}
	t, declared := o.Attributes[field]
	if !declared && !o.Open {
		return nil, false
	}
	return &types.FieldType{Type: t.nullable()}, true
}

// NewValue implements types.Provider: an expression reads our objects and makes none.
func (p *provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ok := p.object(name); ok {
		return types.NewErr("%s cannot be made by an expression", name)
	}
	return p.Registry.NewValue(name, fields)
}

func (p *provider) object(name string) (Object, bool) {
	if len(name) <= len(typePrefix) || name[:len(typePrefix)] != typePrefix {
		return Object{}, false
	}
	o, ok := p.objects[name[len(typePrefix):]]
	return o, ok
}

// nullable is the CEL type of an attribute. A list has no nullable form in CEL's type
// system, so that it is checked at run time.
func (t Type) nullable() *cel.Type {
	switch t {
	case String:
		return cel.NullableType(cel.StringType)
	case Bool:
		return cel.NullableType(cel.BoolType)
	case Int:
		return cel.NullableType(cel.IntType)
	case Number:
		return cel.NullableType(cel.DoubleType)
	}
	return cel.DynType
}

// plain is the CEL type of a variable without attributes.
func (t Type) plain() *cel.Type {
	switch t {
	case String:
		return cel.StringType
	case Bool:
		return cel.BoolType
	case Int:
		return cel.IntType
	case Number:
		return cel.DoubleType
	case Strings:
		return cel.ListType(cel.StringType)
	}
	return cel.DynType
}
