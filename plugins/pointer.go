package plugins

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parsePointer splits a JSON Pointer into its reference tokens (RFC 6901, section 3).
func parsePointer(path string) ([]string, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("path does not begin with /")
	}
	tokens := strings.Split(path[1:], "/")
	for i, t := range tokens {
		var err error
		if tokens[i], err = unescape(t); err != nil {
			return nil, err
		}
	}
	return tokens, nil
}

// unescape turns ~1 into / and ~0 into ~; any other ~ is an error (RFC 6901, section 3).
func unescape(token string) (string, error) {
	if !strings.Contains(token, "~") {
		return token, nil
	}
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		switch {
		case token[i] != '~':
			b.WriteByte(token[i])
		case strings.HasPrefix(token[i:], "~0"):
			b.WriteByte('~')
			i++
		case strings.HasPrefix(token[i:], "~1"):
			b.WriteByte('/')
			i++
		default:
			return "", errors.New("path has a ~ that is neither ~0 nor ~1")
		}
	}
	return b.String(), nil
}

// arrayIndex reads an array index: digits without a leading zero, at most limit
// (RFC 6901, section 4).
func arrayIndex(token string, limit int) (int, error) {
	n, err := strconv.ParseUint(token, 10, 31)
	if err != nil || strconv.FormatUint(n, 10) != token {
		return 0, fmt.Errorf("%q is no array index", token)
	}
	if int(n) > limit {
		return 0, fmt.Errorf("index %d is beyond the end of the array", n)
	}
	return int(n), nil
}

// change applies the operation below node and returns the node that takes its place.
func (o Op) change(node any, path []string) (any, error) {
	switch n := node.(type) {
	case map[string]any:
		return n, o.changeObject(n, path)
	case []any:
		return o.changeArray(n, path)
	default:
		return nil, errors.New("the parent is neither an object nor an array")
	}
}

func (o Op) changeObject(m map[string]any, path []string) error {
	name := path[0]
	child, exists := m[name]
	if !exists && (o.Op != OpAdd || len(path) > 1) {
		return fmt.Errorf("%q does not exist", name)
	}
	switch {
	case len(path) > 1:
		changed, err := o.change(child, path[1:])
		if err != nil {
			return err
		}
		m[name] = changed
	case o.Op == OpRemove:
		delete(m, name)
	default:
		m[name] = o.Value
	}
	return nil
}

func (o Op) changeArray(a []any, path []string) ([]any, error) {
	if o.Op == OpAdd && len(path) == 1 {
		return o.insert(a, path[0])
	}
	i, err := arrayIndex(path[0], len(a)-1)
	if err != nil {
		return nil, err
	}
	switch {
	case len(path) > 1:
		a[i], err = o.change(a[i], path[1:])
		return a, err
	case o.Op == OpRemove:
		return append(a[:i], a[i+1:]...), nil
	default:
		a[i] = o.Value
		return a, nil
	}
}

func (o Op) insert(a []any, token string) ([]any, error) {
	if token == "-" {
		return append(a, o.Value), nil
	}
	i, err := arrayIndex(token, len(a))
	if err != nil {
		return nil, err
	}
	a = append(a, nil)
	copy(a[i+1:], a[i:])
	a[i] = o.Value
	return a, nil
}
