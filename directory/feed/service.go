package feed

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/snapshot"
	"github.com/provost-id/provost/internal/sqldb"
)

// Options are what the service is made of. Dir and Issuer are required, and Client for
// streams that are pushed.
type Options struct {
	Dir *directory.Directory
	// Issuer is the base URL of the SCIM service: the iss of every SET, from which the
	// uri of its subject goes on.
	Issuer string
	// Client sends pushes. It refuses addresses that nobody allowed, follows no
	// redirect, and bounds what comes back.
	Client *http.Client
	// AllowHTTP are the addresses that may be reached by http://.
	AllowHTTP []netip.Prefix
	Log       *slog.Logger
	Now       func() time.Time
	Retry     Retry // DefaultRetry when zero
	// LeaseTTL is how long a stream stays with a node that has died; 12 s when zero.
	LeaseTTL time.Duration
	// PollWait is how long a poll waits for something to tell; 30 s when zero.
	PollWait time.Duration
}

// Service keeps streams and delivers them. Its methods may be called from any
// goroutine, and several services may work on one database.
type Service struct {
	Options
	keys  *snapshot.Snapshot[*ring]
	owner string

	mu    sync.Mutex          // guards what follows
	wake  chan struct{}       // closed when there may be something new
	over  bool                // Run has ended: nobody waits any more
	busy  map[string]struct{} // streams that a drain of this node works on
	polls map[string]int      // polls that wait, by stream
	group sync.WaitGroup
}

// New returns a service. Nothing is delivered before Run.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Retry == (Retry{}) {
		o.Retry = DefaultRetry
	}
	if o.LeaseTTL == 0 {
		o.LeaseTTL = 12 * time.Second
	}
	if o.PollWait == 0 {
		o.PollWait = 30 * time.Second
	}
	s := &Service{
		Options: o, owner: "node-" + id.Secret(16),
		wake: make(chan struct{}), busy: map[string]struct{}{}, polls: map[string]int{},
	}
	s.keys = snapshot.New(o.Dir.DB, "event-keys", s.loadRing)
	return s
}

func (s *Service) db() *sqldb.DB { return s.Dir.DB }

func (s *Service) log() events.Log { return events.Log{DB: s.Dir.DB} }

// KeysURL is where the public keys are published.
func (s *Service) KeysURL() string { return s.Issuer + KeysPath }

// Paths of the service below the issuer.
const (
	KeysPath    = "/streams/jwks"
	StreamsPath = "/streams/"
)

// url is where a stream is polled.
func (s *Service) url(id string) string { return s.Issuer + StreamsPath + id }

// PollURL is the endpoint of a stream that is polled.
func (s *Service) PollURL(id string) string { return s.url(id) + "/poll" }

// AudienceOf is the aud of a stream's SETs.
func (s *Service) AudienceOf(st *Stream) []string {
	if len(st.Audience) > 0 {
		return st.Audience
	}
	return []string{s.url(st.ID)}
}

// audit appends the event of a change of streams or keys.
func (s *Service) audit(tx *sqldb.Tx, actor events.Actor, request, typ string, target events.Target, detail map[string]any) error {
	return events.Append(tx, events.Event{
		Time: s.Now(), Type: typ, Actor: actor, Request: request, Targets: []events.Target{target}, Detail: detail,
	})
}

// micros is a time as the database keeps it, zero for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Change says who changes a stream or key, by which request.
type Change struct {
	Actor   events.Actor
	Request string
}

// runKeys is the part of Run that follows keys made by other nodes.
func (s *Service) runKeys(ctx context.Context) { _ = s.keys.Run(ctx) } // nil at the end of ctx
