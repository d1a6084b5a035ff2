package provisioning

import "context"

// A Connector speaks to one target: an LDAP directory or a SaaS application.
// It knows no user of ours, keeps no state that must survive, and decides nothing:
// it reads objects, writes the changes it is told, and reports what the target said.
//
// What more it can do is found by assertion: [Reader], [Syncer], [Getter], [Writer], [Members], [Passworder], [Authenticator].
// A connector is safe for concurrent use. Errors are *[Error]s.
type Connector interface {
	// Describe asks the target what it can do.
	Describe(ctx context.Context) (Capabilities, error)
	// Schema lists the object types and attributes of the target. It answers without the target when that is away.
	Schema(ctx context.Context) (Schema, error)
	// Test tries configuration, network, sign-in and reading, in this order, and stops at the first that is not well.
	Test(ctx context.Context) []Check
	// Close ends all connections. No method may be called after it.
	Close() error
}

// Capabilities say what a target can do.
type Capabilities struct {
	Target     string   // the product, as far as it can be told: "OpenLDAP", "scim2"
	Types      []string // TypeUser, TypeGroup
	Read       bool
	Sync       bool // Changes works: deltas instead of full reads
	Create     bool
	Update     bool
	Delete     bool
	Members    bool
	Password   bool
	Deactivate bool // Delta.Active is understood
	Versions   bool // the target answers with versions and checks them
	MaxPage    int  // objects in one page of a read
	MaxMembers int  // membership changes in one request; the connector cuts a greater change into chunks
}

// A Check is one line of a connection test.
type Check struct {
	Name   string // "configuration", "network", "sign-in", "read"
	OK     bool
	Detail string // what was found, or the target's own words
}

// A Reader reads everything that there is of one type.
type Reader interface {
	// Read calls yield with batches of at most MaxBatch objects, in the target's order, and waits for it, so that backpressure reaches the socket.
	// An error of yield ends the read and is returned as it is.
	// Only End.Complete allows deletions to be inferred; it is never set beside an error.
	Read(ctx context.Context, r ReadRequest, yield func(Batch) error) (End, error)
}

// MaxBatch is the greatest number of objects in a batch.
const MaxBatch = 500

// A ReadRequest says what to read.
type ReadRequest struct {
	Type       string   // TypeUser or TypeGroup
	Attributes []string // remote names; none means all of the Schema
	PageSize   int      // 0 means the connector's default
}

// A Batch is a part of a read.
type Batch struct {
	Objects []Object
	Deleted []Ref    // of Changes: gone at the target; only ID is sure to be set
	Present []string // of Changes: IDs that exist and did not change (RFC 4533, section 3.3.1)
}

// An End closes a read.
type End struct {
	// Complete is the proof that the target told everything that exists: what was not mentioned is gone.
	Complete bool
	// Cursor continues with Changes; nil when the target has none. It is to be stored with the batch that it covers.
	Cursor []byte
	// Total counts the objects that were read.
	Total int
}

// A Syncer reads what has changed since a cursor.
type Syncer interface {
	// Changes is as Read, from a cursor on. Without a cursor it reads everything and returns the first cursor.
	// ErrCursorLost means that a full read is needed. End.Complete is set when the target could not tell the deletions
	// and has mentioned all that exists instead, as changed or as present.
	Changes(ctx context.Context, r ChangeRequest, yield func(Batch) error) (End, error)
}

// A ChangeRequest says what to follow, and from where.
type ChangeRequest struct {
	Type       string
	Attributes []string
	Cursor     []byte
}

// A Getter reads one object.
type Getter interface {
	// Get finds an object by Ref.ID, else by Ref.ExternalID, else by Ref.Name. ErrNotFound when there is none,
	// verified in a second way where the target allows it; ErrConflict when there are several.
	Get(ctx context.Context, r Ref) (Object, error)
}

// A Writer changes objects.
type Writer interface {
	// Create makes an object and returns what names it. It is the only call that is not idempotent: the key, our own
	// immutable ID, is stored at the target so that Get can resolve a create whose outcome is ErrUnknown.
	// ErrConflict when the target has such an object.
	Create(ctx context.Context, o Object, key Key) (Ref, error)
	// Update makes the smallest change that carries the delta. With a version the target is asked to refuse when it has another:
	// ErrConflict. It returns the new version, "" when the target has none.
	Update(ctx context.Context, r Ref, d Delta, version string) (string, error)
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, r Ref) error
}

// A Key is our own immutable ID of an object, and what makes a create recognisable.
type Key string

// Members changes the members of a group.
type Members interface {
	// PatchMembers adds and removes members in as few requests as the target allows. It is idempotent:
	// to add a member that is one, and to remove one that is none, is success.
	PatchMembers(ctx context.Context, group Ref, add, remove []Ref) error
}

// A Passworder sets passwords.
type Passworder interface {
	// SetPassword replaces the password of a user. An empty password is ErrInvalid. It appears in no error.
	SetPassword(ctx context.Context, r Ref, password string) error
}

// An Authenticator checks passwords at the target.
type Authenticator interface {
	// Authenticate answers ErrDenied for every login and password that is not a good pair of an account that may sign in.
	Authenticate(ctx context.Context, login, password string) (Ref, error)
}

// Config is settings.app of an app, secrets in clear. It lives in memory only and is never logged.
type Config map[string]any

// String returns a setting that is a string, "" otherwise.
func (c Config) String(name string) string {
	s, _ := c[name].(string)
	return s
}

// Bool returns a setting that is a boolean, false otherwise.
func (c Config) Bool(name string) bool {
	b, _ := c[name].(bool)
	return b
}

// Strings returns a setting that is a list of strings, or one string.
func (c Config) Strings(name string) []string {
	switch v := c[name].(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		var out []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
