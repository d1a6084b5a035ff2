package federation

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/provost-id/provost/schemas/expr"
)

// claims are the names that an expression over idpuser may expect; others are open.
var claims = map[string]expr.Type{
	"sub": expr.String, "email": expr.String, "name": expr.String, "given_name": expr.String,
	"family_name": expr.String, "middle_name": expr.String, "nickname": expr.String,
	"preferred_username": expr.String, "profile": expr.String, "picture": expr.String,
	"website": expr.String, "gender": expr.String, "birthdate": expr.String, "zoneinfo": expr.String,
	"locale": expr.String, "phone_number": expr.String,
}

// environment is what an expression about an assertion may name.
func environment() expr.Env {
	return expr.Env{
		Objects: map[string]expr.Object{"idpuser": {Attributes: claims, Open: true}},
	}
}

func (s *Subject) compile() (*expr.Program, error) {
	return expr.Compile(s.UserNameTemplate.Template, environment())
}

// userName is the name that an assertion stands for.
type userName struct {
	value string
	// fromEmail says that the name rests on the asserted address: then it proves
	// something only when the provider has verified that.
	fromEmail bool
}

// name transforms an assertion into a user name, or returns a *Denied.
func (s *Subject) name(ctx context.Context, a Assertion) (userName, error) {
	prog, err := s.compile()
	if err != nil {
		return userName{}, denied(badTemplate, err.Error())
	}
	v, err := prog.Eval(ctx, map[string]any{"idpuser": a.Claims})
	if err != nil {
		return userName{}, denied(badTemplate, err.Error())
	}
	value, _ := v.(string)
	switch {
	case value == "":
		return userName{}, denied(missedField, "the template gives no name")
	case strings.IndexFunc(value, unicode.IsSpace) >= 0:
		return userName{}, denied(whitespace, "the name has whitespace")
	case len(value) > maxUserName || strings.IndexFunc(value, unicode.IsControl) >= 0:
		return userName{}, denied(badName, "the name is too long or has control characters")
	}
	if s.Filter != "" {
		re, err := s.pattern()
		if err != nil || !re.MatchString(value) {
			return userName{}, denied(noMatch, "the name does not pass the filter")
		}
	}
	return userName{value: value, fromEmail: strings.Contains(value, "@") || s.readsEmail(prog)}, nil
}

const maxUserName = 100 // characters of login (the contract)

func (s *Subject) readsEmail(p *expr.Program) bool {
	return s.MatchType != MatchUsername || slices.Contains(p.Inputs(), "idpuser.email") || slices.Contains(p.Inputs(), "idpuser")
}
