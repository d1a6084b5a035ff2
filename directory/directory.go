package directory

import (
	"context"
	"log/slog"
	"time"

	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/snapshot"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/expr"
)

// Directory keeps one organisation's people and groups. Its exported fields are set
// before first use; its methods may be called from any goroutine.
type Directory struct {
	DB   *sqldb.DB
	Keys *keyring.Ring
	// Schemas returns the compiled schema in force, at once: it never looks at the
	// database. A change is there when the call that made it returns, and on other nodes
	// within a second.
	Schemas func() *schemas.Snapshot
	Now     func() time.Time
	Log     *slog.Logger
	// OnSignOut ends a user's sessions, refresh tokens and API tokens in the
	// transaction in which the user stops being active, changes its password, or is
	// deleted.
	OnSignOut []func(tx *sqldb.Tx, userID string) error
	// AppProfile tells the attributes of the profile at a kind of app, for checking
	// mappings when they are saved; ok is false for a kind that any attribute may have.
	// Nil knows none.
	AppProfile func(kind string) (types map[string]expr.Type, ok bool)

	schema *snapshot.Snapshot[*schemaState]
	// SchemaGrace is how long index rows that go are left to nodes that have not heard of a
	// change of the schema: five seconds, unless it is set to something else.
	SchemaGrace time.Duration
	// AttributeUses name what uses an attribute of the user profile outside the directory,
	// so that it cannot be taken away.
	AttributeUses []func(tx *sqldb.Tx, name string) ([]string, error)

	passwords *passwords.Pool
	rules     conditions
	limits    filterLimits
	lists     listLimits
	everyone  builtIn
	admins    builtIn

	selectShown string // of ShownUser
}

// New returns the directory of an organisation and makes its built-in groups,
// Everyone and Administrators, when they are missing.
func New(ctx context.Context, db *sqldb.DB, keys *keyring.Ring, log *slog.Logger) (*Directory, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	d := &Directory{
		DB: db, Keys: keys, Now: time.Now, Log: log, limits: defaultLimits, SchemaGrace: schemaGrace,
		lists: listLimits{few: fewMatches, looked: maxLooked},
	}
	var err error
	if err = d.openSchemas(ctx); err != nil {
		return nil, err
	}
	if d.passwords, err = passwords.NewPool(); err != nil {
		return nil, err
	}
	if err := d.ensureBuiltIn(ctx); err != nil {
		return nil, err
	}
	if err := d.ensurePolicy(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// now is the time of a change, as precise as every surface shows it: a client finds by
// meta.lastModified what it has read there.
func (d *Directory) now() time.Time { return d.Now().UTC().Truncate(time.Millisecond) }

// Source is what a change comes from, beside who made it: the answer of "why".
type Source struct {
	Kind    string // "scim", "manage", "import", "file", "jit", "signin", "rule", "hook", "self"
	ID      string // of the app, identity provider or import of a file, empty for none
	Mapping string // expression that gave the value, empty for none
}

// The kinds of Source.
const (
	SourceSCIM   = "scim"
	SourceManage = "manage"
	SourceImport = "import" // from an app
	SourceFile   = "file"   // from a file
	SourceJIT    = "jit"
	SourceSignIn = "signin"
	SourceRule   = "rule"
	SourceHook   = "hook"
	SourceSelf   = "self"
	SourceSchema = "schema" // an attribute that was taken away
)

// Change says who changes something, by which request, and with what right.
type Change struct {
	Actor   events.Actor
	Request string // request ID, empty outside a request
	// Client is the namespace of external IDs: the ID of the calling principal. When
	// empty, an external ID in the resource is dropped.
	Client string
	Source Source
	// Mappings are the expressions that gave the values, by profile attribute, where
	// each attribute has its own.
	Mappings map[string]string
	// MappingVersion is the version of the mapping that they stand in.
	MappingVersion int64
	// Own says that a person changes their own resource with no more right than that: the
	// permission SELF of each attribute decides.
	Own bool
	// Reactivates lets a user who is created again by the client that deactivated it come
	// back.
	Reactivates bool
	// VerifiesEmail says that the mail addresses it sets are known to be the person's own.
	VerifiesEmail bool
	// Base is the URL that the endpoints of resource types follow, as the caller sees them: a
	// filter on the $ref of members compares with it.
	Base string
	// Bounds narrow what the change may touch; nil for nothing.
	Bounds *Bounds
	// Manage says that the caller holds the manage scope and may change Administrators.
	Manage bool

	put bool // replaces the whole resource (RFC 7644, section 3.5.1)
}

// IfMatch is the list of versions a change accepts; nil accepts any (RFC 9110, section 13.1.1).
type IfMatch []int64

func (m IfMatch) accepts(version int64) bool {
	if m == nil {
		return true
	}
	for _, v := range m {
		if v == version {
			return true
		}
	}
	return false
}
