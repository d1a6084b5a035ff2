package signin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
)

// rate is a leaky bucket of failures: burst of them at once, then one each interval.
type rate struct {
	burst    int64
	interval time.Duration
}

var (
	// perAccount slows guessing down before the directory locks the account, so that
	// a stranger's guesses cost its owner a short wait and not the account.
	perAccount = rate{burst: 5, interval: 30 * time.Second}
	// perIP leaves room for an office behind one address.
	perIP = rate{burst: 100, interval: 2 * time.Second}
)

// limited is returned when a bucket is full, and says when there is room again.
type limited struct{ after time.Duration }

// Error implements error.
func (l *limited) Error() string { return "too many attempts" }

// chargeTx counts an attempt before it is made, so that attempts at the same time
// cannot all pass. It is taken back when the attempt succeeds. The whole state is one
// number in the database (GCRA): it holds on every node and over restarts.
func (s *Server) chargeTx(tx *sqldb.Tx, key []byte, r rate) error {
	now := s.now().UnixMicro()
	var until int64
	err := tx.QueryRow(`INSERT INTO signin_limits (hash, until) VALUES ($1, $2)
		ON CONFLICT (hash) DO UPDATE SET until =
			CASE WHEN signin_limits.until > $3 THEN signin_limits.until + $4 ELSE excluded.until END
		RETURNING until`, key, now+r.interval.Microseconds(), now, r.interval.Microseconds()).Scan(&until)
	if err != nil {
		return fmt.Errorf("count attempt: %w", err)
	}
	if over := until - now - r.burst*r.interval.Microseconds(); over > 0 {
		return &limited{after: time.Duration(over) * time.Microsecond}
	}
	return nil
}

// refundTx takes one attempt back.
func (s *Server) refundTx(tx *sqldb.Tx, key []byte, r rate) error {
	_, err := tx.Exec(`UPDATE signin_limits SET until = until - $2 WHERE hash = $1`, key, r.interval.Microseconds())
	return err
}

// forgetTx takes every attempt back.
func (s *Server) forgetTx(tx *sqldb.Tx, key []byte) error {
	_, err := tx.Exec(`DELETE FROM signin_limits WHERE hash = $1`, key)
	return err
}

// ipKey is the bucket of an address; one IPv6 customer has a /64.
func (s *Server) ipKey(ip netip.Addr) []byte {
	if ip.Is6() && !ip.Is4In6() {
		if p, err := ip.Prefix(64); err == nil {
			ip = p.Addr()
		}
	}
	return s.Keys.Hash("signin-limit", "ip "+ip.Unmap().String())
}

// accountKey is the bucket of an account. Every name by which one account can be
// called leads to the same one; a name of nobody has a bucket of its own, found at
// the same cost. No name, or one too long to be anybody's, has none.
func (s *Server) accountKey(ctx context.Context, login string) ([]byte, error) {
	if login == "" || len(login) > maxLogin {
		return nil, nil
	}
	u, err := s.Directory.UserByLogin(ctx, login)
	if errors.Is(err, directory.ErrNotFound) {
		return s.Keys.Hash("signin-limit", "name "+fold(login)), nil
	}
	if err != nil {
		return nil, fmt.Errorf("find account: %w", err)
	}
	return s.Keys.Hash("signin-limit", "user "+u.ID), nil
}

// fold makes the spellings of one name equal.
func fold(login string) string {
	return strings.ToLower(norm.NFKC.String(strings.TrimSpace(login)))
}
