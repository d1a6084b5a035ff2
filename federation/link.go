package federation

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/sqldb"
)

// Proofs of a link.
const (
	proofVerified   = "verified"   // made by the provider, which had verified the address
	proofUnverified = "unverified" // made by the provider, which had not
	proofMatched    = "matched"    // linked by policy
	proofAdmin      = "admin"      // linked by an administrator
)

// Link says that a subject of a provider is a user. Subject is what the contract
// calls the external ID.
type Link struct {
	IdPID    string
	Issuer   string
	Subject  string
	UserID   string
	Created  time.Time
	Updated  time.Time
	LastSeen time.Time      // zero for never
	Claims   map[string]any // as they were last asserted
}

const linkColumns = `idp_id, issuer, subject, user_id, created, updated, COALESCE(last_seen, 0), claims`

func scanLink(row interface{ Scan(...any) error }) (Link, error) {
	var l Link
	var created, updated, seen int64
	var doc string
	err := row.Scan(&l.IdPID, &l.Issuer, &l.Subject, &l.UserID, &created, &updated, &seen, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return Link{}, ErrNoLink
	}
	if err != nil {
		return Link{}, fmt.Errorf("read link: %w", err)
	}
	l.Created, l.Updated = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
	if seen != 0 {
		l.LastSeen = time.UnixMicro(seen).UTC()
	}
	if err := json.Unmarshal([]byte(doc), &l.Claims); err != nil {
		return Link{}, fmt.Errorf("claims of link: %w", err)
	}
	return l, nil
}

// Links lists the users of a provider, by user ID, after the one called after.
func (s *Service) Links(ctx context.Context, idpID, after string, limit int) ([]Link, error) {
	return s.links(ctx, `SELECT `+linkColumns+` FROM idp_links WHERE idp_id = $1 AND user_id > $2
		ORDER BY user_id LIMIT $3`, idpID, after, limit)
}

// LinksOf lists the providers of a user.
func (s *Service) LinksOf(ctx context.Context, userID string) ([]Link, error) {
	return s.links(ctx, `SELECT `+linkColumns+` FROM idp_links WHERE user_id = $1 ORDER BY idp_id`, userID)
}

func (s *Service) links(ctx context.Context, query string, args ...any) ([]Link, error) {
	rows, err := s.DB.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	var all []Link
	for rows.Next() {
		l, err := scanLink(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, rows.Err()
}

// Link returns the link of a user at a provider, or ErrNoLink.
func (s *Service) Link(ctx context.Context, idpID, userID string) (Link, error) {
	return scanLink(s.DB.QueryRow(ctx, `SELECT `+linkColumns+` FROM idp_links WHERE idp_id = $1 AND user_id = $2`, idpID, userID))
}

// linked finds the user of a subject, empty for none.
func (s *Service) linked(ctx context.Context, a Assertion) (userID string, err error) {
	err = s.DB.QueryRow(ctx, `SELECT user_id FROM idp_links WHERE idp_id = $1 AND issuer = $2 AND subject = $3`,
		a.IdPID, a.Issuer, a.Subject).Scan(&userID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read link: %w", err)
	}
	return userID, nil
}

const maxSubject = 512 // characters of an external ID (the contract)

// LinkUser makes a link as an administrator; ErrConflict when either side has one.
func (s *Service) LinkUser(ctx context.Context, by By, idpID, userID, subject string) (Link, error) {
	if subject == "" || len(subject) > maxSubject {
		return Link{}, &Invalid{"externalId", "must have 1 to 512 characters"}
	}
	i, err := s.IdP(ctx, idpID)
	if err != nil {
		return Link{}, err
	}
	now := s.now()
	l := Link{IdPID: idpID, Issuer: i.Protocol.Issuer.URL, Subject: subject, UserID: userID, Created: now, Updated: now, Claims: map[string]any{}}
	return l, s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if _, err := s.Directory.UserTx(tx, userID); err != nil {
			return err
		}
		return s.insertLinkTx(tx, by, l, proofAdmin)
	})
}

func (s *Service) insertLinkTx(tx *sqldb.Tx, by By, l Link, proof string) error {
	doc, err := json.Marshal(l.Claims)
	if err != nil {
		return fmt.Errorf("encode claims: %w", err)
	}
	_, err = tx.Exec(`INSERT INTO idp_links (idp_id, issuer, subject, user_id, proof, created, updated, last_seen, claims)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		l.IdPID, l.Issuer, l.Subject, l.UserID, proof, l.Created.UnixMicro(), l.Updated.UnixMicro(), seen(l.LastSeen), string(doc))
	if sqldb.IsUnique(err) {
		return ErrConflict
	}
	if sqldb.IsForeignKey(err) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("insert link: %w", err)
	}
	return s.log(tx, by, "user.account.link", linkTargets(l)...)
}

func seen(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func linkTargets(l Link) []events.Target {
	return []events.Target{{ID: l.UserID, Type: "User"}, {ID: l.IdPID, Type: "IdP"}}
}

// UnlinkUser takes a link away. The sessions that the provider vouched for end with it.
func (s *Service) UnlinkUser(ctx context.Context, by By, idpID, userID string) error {
	l, err := s.Link(ctx, idpID, userID)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		res, err := tx.Exec(`DELETE FROM idp_links WHERE idp_id = $1 AND user_id = $2`, idpID, userID)
		if err := one(res, err); errors.Is(err, ErrNotFound) {
			return ErrNoLink
		} else if err != nil {
			return err
		}
		for _, end := range s.Directory.OnSignOut {
			if err := end(tx, userID); err != nil {
				return fmt.Errorf("sign out %s: %w", userID, err)
			}
		}
		return s.log(tx, by, "user.account.unlink", linkTargets(l)...)
	})
}

// seenTx keeps what was asserted at this sign-in.
func (s *Service) seenTx(tx *sqldb.Tx, a Assertion, userID string) error {
	doc, err := json.Marshal(a.Claims)
	if err != nil {
		return fmt.Errorf("encode claims: %w", err)
	}
	now := s.now().UnixMicro()
	res, err := tx.Exec(`UPDATE idp_links SET claims = $5, last_seen = $6, updated = $6
		WHERE idp_id = $1 AND issuer = $2 AND subject = $3 AND user_id = $4`,
		a.IdPID, a.Issuer, a.Subject, userID, string(doc), now)
	if err := one(res, err); errors.Is(err, ErrNotFound) {
		return errRace // unlinked since the decision
	} else if err != nil {
		return err
	}
	return nil
}
