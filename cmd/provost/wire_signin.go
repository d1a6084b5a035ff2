package main

import (
	"time"

	"github.com/provost-id/provost/authserver/signin"
	"github.com/provost-id/provost/federation"
	"github.com/provost-id/provost/federation/oidc"
)

// callbackPath is where upstream OpenID Connect providers send people back to.
const callbackPath = "/oauth2/v1/authorize/callback"

// wireSignIn makes federation and the sign-in page over it.
func (p *program) wireSignIn() {
	p.federation = &federation.Service{DB: p.db, Keys: p.keys, Directory: p.directory}
	p.signin = &signin.Server{
		DB: p.db, Keys: p.keys, Directory: p.directory, Sessions: p.sessions, Federation: p.federation,
		OIDC:      &oidc.Client{HTTP: p.outbound(outboundTimeout), RedirectURI: p.cfg.PublicURL + callbackPath, Now: time.Now},
		PublicURL: p.cfg.PublicURL, Log: p.log, Now: time.Now,
	}
}
