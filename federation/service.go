package federation

import (
	"sync"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
)

// Service keeps the providers and the links, and decides who is let in.
type Service struct {
	DB        *sqldb.DB
	Keys      *keyring.Ring
	Directory *directory.Directory
	Now       func() time.Time

	mu       sync.Mutex // guards mappings
	mappings map[string]compiled
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now().UTC().Truncate(time.Microsecond)
	}
	return s.Now().UTC().Truncate(time.Microsecond)
}

// By says who changes the configuration, and by which request.
type By struct {
	Actor   events.Actor
	Request string
}

func (s *Service) log(tx *sqldb.Tx, by By, typ string, targets ...events.Target) error {
	return events.Append(tx, events.Event{
		Type: typ, Time: s.now(), Actor: by.Actor, Request: by.Request, Targets: targets,
	})
}

func idpTarget(i IdP) events.Target { return events.Target{ID: i.ID, Type: "IdP", Name: i.Name} }
