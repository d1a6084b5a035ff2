// Command example is a hook to start from: it adds the claim department to access
// tokens. It runs as a process that provost starts, and with -listen as a web
// service; the hook itself is the same.
//
//	go build -o example . && ./example        prints the channel to configure
//	HOOK_SECRET=whsec_... ./example -listen 127.0.0.1:9000
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/process"
	"github.com/provost-id/provost/plugins/webhook"
)

// departments is where people work, by login. A real hook asks its own system.
type departments map[string]string

// Token implements plugins.TokenHook.
func (d departments) Token(_ context.Context, r *plugins.TokenRequest) (*plugins.TokenResponse, error) {
	user := r.Data.Context.User
	if user == nil || r.Data.Access == nil { // client_credentials has no user
		return plugins.Respond(), nil
	}
	department := d[user.Profile.Login]
	if department == "" {
		department = "none"
	}
	return plugins.Respond(plugins.PatchAccess(plugins.Add("department", department))), nil
}

func main() {
	listen := flag.String("listen", "", "serve as a web service at this address")
	flag.Parse()
	hooks := plugins.Hooks{Token: departments{"ada@example.com": "engineering"}}
	if *listen == "" {
		process.Serve(hooks)
		return
	}
	handler, err := webhook.Handler(os.Getenv("HOOK_SECRET"), hooks)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: *listen, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
