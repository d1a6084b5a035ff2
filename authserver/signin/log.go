package signin

import (
	"database/sql"
	"errors"
	"net/http"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
)

// logFailure writes a sign-in that did not succeed to the system log. Who it was for
// is not said: nobody has proved it, and a name typed into the wrong field may be a
// password.
func (s *Server) logFailure(r *http.Request, idp, reason string) error {
	ev := events.Event{
		Type: "user.session.start", Time: s.now(), Actor: events.System, Outcome: events.Failure,
		Reason: reason, Request: httpapi.RequestID(r.Context()),
		Detail: map[string]any{"ip": httpapi.ClientIP(r.Context()).String()},
	}
	if idp != "" {
		ev.Type = "user.authentication.auth_via_IDP"
		ev.Targets = []events.Target{{ID: idp, Type: "IdP"}}
	}
	return s.DB.Write(r.Context(), func(tx *sqldb.Tx) error { return events.Append(tx, ev) })
}

func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
