package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/id"
)

// bootstrapTTL is long enough for a first day and too short to be forgotten.
const bootstrapTTL = 24 * time.Hour

// ensureBootstrapToken mints the first API token at the first start. The database
// keeps only its hash; the file is for the owner of the data directory.
func ensureBootstrapToken(ctx context.Context, dir dataDir, tokens *apitoken.Store) error {
	if !dir.fresh() {
		return nil
	}
	token, _, err := tokens.Create(ctx, events.System, apitoken.NewToken{
		Name: "bootstrap", Scopes: []string{httpapi.ScopeSCIM, httpapi.ScopeManage}, TTL: bootstrapTTL,
	})
	if err != nil {
		return fmt.Errorf("bootstrap token: %w", err)
	}
	if err := os.WriteFile(dir.bootstrapToken(), []byte(token+"\n"), 0o600); err != nil {
		return fmt.Errorf("bootstrap token: %w", err)
	}
	return dir.complete()
}

// banner prints what a person or a script needs to go on.
func banner(ctx context.Context, out io.Writer, p *program, ready, ops string) {
	fmt.Fprintf(out, "ready %s\nops %s\n", ready, ops)
	b, err := os.ReadFile(p.dir.bootstrapToken())
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if _, aerr := p.tokens.Authenticate(ctx, strings.TrimSpace(string(b))); err != nil || aerr != nil {
		fmt.Fprintf(out, "The bootstrap token has expired. A new API token: provost token create --data-dir %q --name NAME --scope scim,manage\n", string(p.dir))
		return
	}
	fmt.Fprintln(out, curlLine(ready, p))
}

// curlLine makes a user. The name is new at each start, so that the line answers 201
// however often the server was started before.
func curlLine(ready string, p *program) string {
	insecure := ""
	if p.cfg.TLSCert != "" {
		insecure = fmt.Sprintf(" --cacert '%s'", p.cfg.TLSCert)
	}
	login := "ada." + strings.ToLower(id.Secret(6)) + "@example.com"
	body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,`+
		`"name":{"givenName":"Ada","familyName":"Lovelace"},"emails":[{"value":%q,"primary":true}]}`, login, login)
	return fmt.Sprintf(`curl -i -s%s -H "Authorization: Bearer $(cat '%s')" -H 'Content-Type: application/scim+json' -d '%s' %s/scim/v2/Users`,
		insecure, p.dir.bootstrapToken(), body, ready)
}

// localURL is the address of a listener as a client on this machine writes it.
func localURL(scheme string, a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return scheme + "://" + a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
