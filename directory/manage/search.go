package manage

import (
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
)

// A search or filter of the management API has the operators of SCIM and names of its
// own: "status", "lastUpdated", "profile.department". It is rewritten name by name and
// parsed as SCIM. status is no SCIM attribute; it may stand in the top-level "and".

// token is a piece of an expression: a name, an operator, a literal or a parenthesis.
type token struct{ text string }

func (t token) is(word string) bool { return strings.EqualFold(t.text, word) }

// tokens cuts an expression. What it does not understand the SCIM parser refuses.
func tokens(s string) []token {
	var all []token
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ':
			i++
		case c == '(' || c == ')':
			all = append(all, token{s[i : i+1]})
			i++
		default:
			n := tokenEnd(s[i:])
			all = append(all, token{s[i : i+n]})
			i += n
		}
	}
	return all
}

func tokenEnd(s string) int {
	if s[0] == '"' {
		for i := 1; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
		return len(s)
	}
	if n := strings.IndexAny(s, " ()"); n > 0 {
		return n
	}
	return len(s)
}

// expression is a rewritten search.
type expression struct {
	scim   []string
	status string
	paths  map[string]string // name -> SCIM path
	states string            // name of what the directory calls status
}

// rewrite turns an expression into a query for the directory.
func (h *handlers) rewrite(typ, source string, paths map[string]string, states string) (directory.ListQuery, error) {
	e := expression{paths: paths, states: states}
	if err := e.read(tokens(source)); err != nil {
		return directory.ListQuery{}, err
	}
	q := directory.ListQuery{Status: e.status}
	if len(e.scim) == 0 {
		return q, nil
	}
	t, _ := h.dir.Schemas().Type(typ)
	var err error
	q.Filter, err = t.ParseFilter(strings.Join(e.scim, " "), schemas.Generic)
	if err != nil {
		return q, badSearch(err.Error())
	}
	return q, nil
}

func badSearch(cause string) error {
	return httpapi.New(400, httpapi.ESearch, "Invalid search criteria.", cause)
}

func (e *expression) read(all []token) error {
	depth := 0
	for i := 0; i < len(all); i++ {
		switch t := all[i]; {
		case t.text == "(":
			depth++
			e.scim = append(e.scim, t.text)
		case t.text == ")":
			depth--
			e.scim = append(e.scim, t.text)
		case t.is("and"), t.is("or"), t.is("not"):
			e.scim = append(e.scim, strings.ToLower(t.text))
		default:
			n, err := e.term(all[i:], depth)
			if err != nil {
				return err
			}
			i += n - 1
		}
	}
	return e.dropStatus()
}

// statusMark stands for the status term until its "and" is taken out with it.
const statusMark = "\x00status"

// term rewrites "name op value" or "name pr" and says how many tokens it had.
func (e *expression) term(all []token, depth int) (int, error) {
	name := all[0].text
	if len(all) < 2 {
		return 0, badSearch("nothing follows " + name)
	}
	n := 3
	if all[1].is("pr") {
		n = 2
	}
	if len(all) < n {
		return 0, badSearch("a value is missing after " + name)
	}
	if name == e.states {
		if depth > 0 || e.status != "" || !all[1].is("eq") {
			return 0, badSearch(name + " can only be compared once, by eq, outside parentheses")
		}
		e.status = strings.Trim(all[2].text, `"`)
		e.scim = append(e.scim, statusMark)
		return n, nil
	}
	path, ok := e.paths[name]
	if !ok {
		return 0, badSearch(name + " cannot be searched by")
	}
	e.scim = append(e.scim, scimTerm(path, all[1:n]))
	return n, nil
}

// scimTerm writes a term on a SCIM path: the value of a selected element becomes a
// condition inside the brackets (RFC 7644, figure 1, has no ".value" after them).
func scimTerm(path string, rest []token) string {
	words := make([]string, len(rest))
	for i, t := range rest {
		words[i] = t.text
	}
	tail := strings.Join(words, " ")
	attr, selector, selected := strings.Cut(path, "[")
	if !selected {
		return path + " " + tail
	}
	condition, sub, _ := strings.Cut(selector, "].")
	return attr + "[" + condition + " and " + sub + " " + tail + "]"
}

// dropStatus takes the status term out: it holds beside everything else, which is
// right only among the terms of a top-level "and".
func (e *expression) dropStatus() error {
	for i, w := range e.scim {
		if w != statusMark {
			continue
		}
		if hasTopLevelOr(e.scim) || i > 0 && e.scim[i-1] == "not" {
			return badSearch(e.states + " can only be combined by and")
		}
		switch {
		case len(e.scim) == 1:
			e.scim = nil
		case i > 0 && e.scim[i-1] == "and":
			e.scim = append(e.scim[:i-1:i-1], e.scim[i+1:]...)
		case i == 0 && e.scim[1] == "and":
			e.scim = e.scim[2:]
		default:
			return badSearch("and is missing beside " + e.states)
		}
		return nil
	}
	return nil
}

func hasTopLevelOr(words []string) bool {
	depth := 0
	for _, w := range words {
		switch w {
		case "(":
			depth++
		case ")":
			depth--
		case "or":
			if depth == 0 {
				return true
			}
		}
	}
	return false
}
