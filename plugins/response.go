package plugins

import (
	"encoding/json"
	"strings"
)

// Commands of the token hook.
const (
	CommandIdentity = "com.okta.identity.patch"
	CommandAccess   = "com.okta.access.patch"
)

// Operations of a command.
const (
	OpAdd     = "add"     // sets a claim or member, inserts into an array, appends with "-"
	OpReplace = "replace" // the target must exist
	OpRemove  = "remove"  // the target must exist; no value
)

// TokenResponse is the answer of a token hook. When Error is set no command runs.
type TokenResponse struct {
	Commands     []Command      `json:"commands,omitempty"`
	Error        *Error         `json:"error,omitempty"`
	DebugContext map[string]any `json:"debugContext,omitempty"` // goes into the system log
}

// Command changes one token; commands run in their order.
type Command struct {
	Type  string `json:"type"`
	Value []Op   `json:"value"`

	malformed bool // value was no array of operations
}

// UnmarshalJSON keeps a command whose value has another shape, as those of other
// hook types have: it is a bad command, not an answer that cannot be read.
func (c *Command) UnmarshalJSON(b []byte) error {
	var raw struct {
		Type  string          `json:"type"`
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*c = Command{Type: raw.Type}
	if err := decodeNumbers(raw.Value, &c.Value); err != nil {
		c.Value, c.malformed = nil, true
	}
	return nil
}

// Op is one operation in the manner of JSON Patch (RFC 6902).
type Op struct {
	Op    string `json:"op"`   // OpAdd, OpReplace or OpRemove
	Path  string `json:"path"` // a JSON Pointer (RFC 6901) below /claims, or LifetimePath
	Value any    `json:"value,omitempty"`
}

// LifetimePath is where a token's lifetime is replaced: 300 to 86400 seconds.
const LifetimePath = "/token/lifetime/expiration"

// Respond is an answer of commands; with none it leaves the tokens as they are.
func Respond(commands ...Command) *TokenResponse {
	return &TokenResponse{Commands: commands}
}

// PatchAccess is the command that changes the access token.
func PatchAccess(ops ...Op) Command { return Command{Type: CommandAccess, Value: ops} }

// PatchIdentity is the command that changes the ID token.
func PatchIdentity(ops ...Op) Command { return Command{Type: CommandIdentity, Value: ops} }

// Add sets a claim, whether it exists or not.
func Add(claim string, value any) Op { return Op{Op: OpAdd, Path: ClaimPath(claim), Value: value} }

// Replace sets a claim that exists.
func Replace(claim string, value any) Op {
	return Op{Op: OpReplace, Path: ClaimPath(claim), Value: value}
}

// Remove removes a claim that exists.
func Remove(claim string) Op { return Op{Op: OpRemove, Path: ClaimPath(claim)} }

// SetLifetime makes a token live this many seconds, 300 to 86400.
func SetLifetime(seconds int) Op {
	return Op{Op: OpReplace, Path: LifetimePath, Value: seconds}
}

// ClaimPath is the path of a claim, or of a member below it, with the escapes of
// RFC 6901: ClaimPath("https://example.com/roles", "-") appends to that claim.
func ClaimPath(claim string, below ...string) string {
	path := "/claims/" + pointerEscapes.Replace(claim)
	for _, s := range below {
		path += "/" + pointerEscapes.Replace(s)
	}
	return path
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")
