package authserver

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
)

// UsesOfAttribute names the claims that read an attribute of the user profile, so that it
// is not taken away from under them: a token whose claim no longer compiles is not issued.
func (s *Service) UsesOfAttribute(tx *sqldb.Tx, name string) (uses []string, err error) {
	rows, err := tx.Query(`SELECT body FROM auth_objects WHERE kind = $1 ORDER BY id`, kindClaim)
	if err != nil {
		return nil, fmt.Errorf("read claims: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var body string
		var v Claim
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("read claim: %w", err)
		}
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			return nil, fmt.Errorf("decode claim: %w", err)
		}
		// A claim that does not compile today reads nothing.
		if c, err := s.compileClaim(v); err == nil && c.program != nil && slices.Contains(c.program.Inputs(), "user."+name) {
			uses = append(uses, fmt.Sprintf("the claim %q (%s)", v.Name, v.ID))
		}
	}
	return uses, rows.Err()
}
