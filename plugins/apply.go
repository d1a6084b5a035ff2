package plugins

import (
	"errors"
	"fmt"
	"slices"
)

// Bounds of a token's lifetime in seconds: five minutes to a day.
const (
	minLifetime = 300
	maxLifetime = 86400
)

// Problem is why a response was not applied.
type Problem struct {
	Command string `json:"command"` // type of the command
	Op      string `json:"op,omitempty"`
	Path    string `json:"path,omitempty"`
	Reason  string `json:"reason"`
}

// String is the problem on one line.
func (p Problem) String() string {
	return fmt.Sprintf("%s %s %s: %s", p.Command, p.Op, p.Path, p.Reason)
}

// ApplyToken returns the tokens as the response changes them, nil for one that is
// not minted; r is left alone. One bad command skips the whole response: the tokens
// come back unmodified and the problem says why.
func ApplyToken(r *TokenRequest, resp *TokenResponse) (identity, access *Token, problems []Problem) {
	identity, access = r.Data.Identity, r.Data.Access
	if resp == nil || resp.Error != nil || len(resp.Commands) == 0 {
		return identity, access, nil
	}
	tokens := map[string]*Token{}
	for _, c := range resp.Commands {
		if p := applyCommand(r, tokens, c); p != nil {
			return identity, access, []Problem{*p}
		}
	}
	if t := tokens[CommandIdentity]; t != nil {
		identity = t
	}
	if t := tokens[CommandAccess]; t != nil {
		access = t
	}
	return identity, access, nil
}

// applyCommand runs one command on the copies in tokens, which it makes as needed.
func applyCommand(r *TokenRequest, tokens map[string]*Token, c Command) *Problem {
	target, err := c.target(r, tokens)
	if err != nil {
		return &Problem{Command: c.Type, Reason: err.Error()}
	}
	for _, o := range c.Value {
		if err := target.apply(c.Type, o); err != nil {
			return &Problem{Command: c.Type, Op: o.Op, Path: o.Path, Reason: err.Error()}
		}
	}
	return nil
}

// target is the copy of the token that the command changes.
func (c Command) target(r *TokenRequest, tokens map[string]*Token) (*Token, error) {
	var minted *Token
	switch c.Type {
	case CommandIdentity:
		minted = r.Data.Identity
	case CommandAccess:
		minted = r.Data.Access
	default:
		return nil, errors.New("unknown command")
	}
	if c.malformed {
		return nil, errors.New("value is no array of operations")
	}
	if minted == nil {
		return nil, errors.New("this token is not being minted")
	}
	if tokens[c.Type] == nil {
		t, err := minted.clone()
		if err != nil {
			return nil, err
		}
		tokens[c.Type] = t
	}
	return tokens[c.Type], nil
}

// apply runs one operation of a command on the token.
func (t *Token) apply(command string, o Op) error {
	if err := o.checkValue(); err != nil {
		return err
	}
	if o.Path == LifetimePath {
		return t.setLifetime(o)
	}
	path, err := parsePointer(o.Path)
	if err != nil {
		return err
	}
	if len(path) < 2 || path[0] != "claims" || path[1] == "" {
		return errors.New("path is neither below /claims nor " + LifetimePath)
	}
	if Reserved(command, path[1]) {
		return fmt.Errorf("claim %q is reserved", path[1])
	}
	if o.Value, err = canonical(o.Value); err != nil {
		return err
	}
	if command == CommandAccess && (path[1] == "aud" || path[1] == "sub") {
		if err := o.checkReplaced(path[1:]); err != nil {
			return err
		}
	}
	return o.changeObject(t.Claims, path[1:])
}

// checkValue holds an operation to its name: add and replace carry a value, remove none.
func (o Op) checkValue() error {
	switch {
	case o.Op != OpAdd && o.Op != OpReplace && o.Op != OpRemove:
		return fmt.Errorf("unknown operation %q", o.Op)
	case o.Op == OpRemove && o.Value != nil:
		return errors.New("remove takes no value")
	case o.Op != OpRemove && o.Value == nil:
		return fmt.Errorf("%s needs a value", o.Op)
	}
	return nil
}

// checkReplaced keeps aud and sub of an access token what RFC 7519, sections 4.1.2
// and 4.1.3, say they are: they may be replaced, not removed or taken apart.
func (o Op) checkReplaced(path []string) error {
	claim := path[0]
	if o.Op == OpRemove || len(path) > 1 {
		return fmt.Errorf("claim %q may only be replaced", claim)
	}
	values, many := o.Value.([]any)
	if !many || claim == "sub" {
		values = []any{o.Value}
	}
	empty := func(v any) bool { s, ok := v.(string); return !ok || s == "" }
	if len(values) == 0 || slices.ContainsFunc(values, empty) {
		return fmt.Errorf("claim %q would have no valid value", claim)
	}
	return nil
}

func (t *Token) setLifetime(o Op) error {
	if o.Op != OpReplace {
		return errors.New("the lifetime can only be replaced")
	}
	v, err := canonical(o.Value)
	if err != nil {
		return err
	}
	seconds, ok := v.(int64)
	if !ok || seconds < minLifetime || seconds > maxLifetime {
		return fmt.Errorf("the lifetime is a whole number of seconds from %d to %d", minLifetime, maxLifetime)
	}
	t.Token.Lifetime.Expiration = int(seconds)
	return nil
}

// clone copies what commands can change.
func (t *Token) clone() (*Token, error) {
	claims, err := canonical(map[string]any(t.Claims))
	if err != nil {
		return nil, fmt.Errorf("copy claims: %w", err)
	}
	c := *t
	c.Claims, _ = claims.(map[string]any)
	if c.Claims == nil { // claims was nil
		c.Claims = Claims{}
	}
	return &c, nil
}
