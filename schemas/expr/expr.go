// Package expr compiles and evaluates the expressions of mappings, claims and
// conditions: CEL with a function library of Okta's names (String.*, Arrays.*,
// Convert.*). An expression is checked when it is saved: unknown names, wrong types
// and values that may be null without a guard are refused there. What the variables
// mean, and what happens when an evaluation fails, belongs to the caller.
package expr

import "fmt"

// Type is the type of a variable or of an attribute of an object.
type Type int

// The types.
const (
	Any     Type = iota // checked at run time
	String              // string
	Bool                // boolean
	Int                 // 64-bit integer
	Number              // double
	Strings             // list of strings
)

// Object declares a variable with attributes. An attribute that is unset is null.
type Object struct {
	// Attributes by name. An expression that names another one is refused, unless Open.
	Attributes map[string]Type
	// NonNull lists the attributes that always have a value.
	NonNull []string
	// Open allows attributes that are not declared, as Any.
	Open bool
	// Nullable says that the whole object may be null, so that a guard is demanded
	// before an attribute of it is read.
	Nullable bool
}

// Env declares what an expression may name.
type Env struct {
	Objects map[string]Object // "user", "appuser", "app", "idpuser", "access", "session"
	Values  map[string]Type   // variables without attributes, never null: "groups"
	// Result demands a type of the whole expression; Any demands nothing. A result of
	// another type than Any may not be null, unless ResultNull.
	Result     Type
	ResultNull bool
}

// MaxSource is the greatest length of an expression in bytes.
const MaxSource = 4096

// Error says why an expression was refused or an evaluation failed.
type Error struct {
	Source string // the expression
	Line   int    // of the fault, from 1; 0 when unknown
	Column int    // of the fault, from 1; 0 when unknown
	Reason string // names the guard or the CEL spelling where there is one
}

// Error gives the place and the reason.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Reason)
}
