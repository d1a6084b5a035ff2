package authserver

import (
	"context"
	"errors"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"
	"github.com/ory/fosite/storage"

	"github.com/provost-id/provost/internal/sqldb"
)

// store is fosite's storage on our tables. A code with its PKCE challenge and nonce is
// one row; access tokens are JWTs and have none. Inside a transaction of fosite's it
// only collects, see unit.
type store struct{ s *Service }

// fosite's handlers take interface{} and drop one that lacks a method: every
// interface is asserted here.
var (
	_ fosite.Storage                       = (*store)(nil)
	_ fosite.ClientManager                 = (*store)(nil)
	_ storage.Transactional                = (*store)(nil)
	_ oauth2.CoreStorage                   = (*store)(nil)
	_ oauth2.AuthorizeCodeStorage          = (*store)(nil)
	_ oauth2.AccessTokenStorage            = (*store)(nil)
	_ oauth2.RefreshTokenStorage           = (*store)(nil)
	_ oauth2.TokenRevocationStorage        = (*store)(nil)
	_ oauth2.ClientCredentialsGrantStorage = (*store)(nil)
	_ openid.OpenIDConnectRequestStorage   = (*store)(nil)
	_ pkce.PKCERequestStorage              = (*store)(nil)
)

// unit is what one request writes, collected until its commit. It is the one place
// where something is put into a context: fosite hands nothing else through.
type unit struct {
	ops   []func(*sqldb.Tx) error
	grant *grant // the code that is being issued
}

type unitKey struct{}

var errNoUnit = errors.New("authserver: storage used outside a transaction")

func (st *store) unit(ctx context.Context) (*unit, error) {
	if u, ok := ctx.Value(unitKey{}).(*unit); ok {
		return u, nil
	}
	return nil, errNoUnit
}

// BeginTX implements storage.Transactional.
func (st *store) BeginTX(ctx context.Context) (context.Context, error) {
	return context.WithValue(ctx, unitKey{}, &unit{}), nil
}

// Commit implements storage.Transactional: everything in one durable transaction.
func (st *store) Commit(ctx context.Context) error {
	u, err := st.unit(ctx)
	if err != nil {
		return err
	}
	return st.s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		for _, op := range u.ops {
			if err := op(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// Rollback implements storage.Transactional: nothing has been written.
func (st *store) Rollback(ctx context.Context) error {
	u, err := st.unit(ctx)
	if err == nil {
		u.ops = nil
	}
	return err
}

func (st *store) append(ctx context.Context, op func(*sqldb.Tx) error) error {
	u, err := st.unit(ctx)
	if err != nil {
		return err
	}
	u.ops = append(u.ops, op)
	return nil
}

// GetClient implements fosite.ClientManager.
func (st *store) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	c, err := st.s.Client(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, fosite.ErrNotFound
	}
	return c, err
}

// ClientAssertionJWTValid implements fosite.ClientManager. Assertions are taken by
// our own strategy, which inserts and compares in one statement.
func (st *store) ClientAssertionJWTValid(context.Context, string) error { return fosite.ErrJTIKnown }

// SetClientAssertionJWT implements fosite.ClientManager, see ClientAssertionJWTValid.
func (st *store) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return fosite.ErrJTIKnown
}
