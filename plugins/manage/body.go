package manage

import (
	"context"
	"net/http"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/plugins"
)

// timeFormat is how the management API writes times.
const timeFormat = plugins.TimeFormat

// Input is a hook as a client sends it.
type Input struct {
	Name        string              `json:"name" doc:"1 to 255 characters, unique."`
	Type        plugins.Type        `json:"type" doc:"The flow it extends; cannot be changed."`
	Version     string              `json:"version" doc:"Echoed; 1.0.0 when left out."`
	Channel     Channel             `json:"channel"`
	TimeoutMS   *int64              `json:"timeoutMs" doc:"Time for one attempt in milliseconds, 1 to 30000; 3000 when left out."`
	Retries     *int64              `json:"retries" doc:"0 to 3, on timeout and status 5xx. Token hooks never retry."`
	FailureMode plugins.FailureMode `json:"failureMode" doc:"OPEN (the flow goes on) or CLOSED (the flow fails)."`
}

// Channel is how a hook is reached.
type Channel struct {
	Type    string `json:"type" doc:"HTTP or PLUGIN."`
	Version string `json:"version"`
	Config  Config `json:"config"`
}

// Config of a channel: of HTTP or of PLUGIN.
type Config struct {
	URI           string           `json:"uri,omitempty" doc:"https, at most 1024 characters."`
	Method        string           `json:"method,omitempty" doc:"POST."`
	Headers       []plugins.Header `json:"headers,omitempty" doc:"Sent with every request."`
	AuthScheme    *AuthScheme      `json:"authScheme,omitempty"`
	SigningSecret string           `json:"signingSecret,omitempty" doc:"Key of the webhook-signature header, whsec_ and base64. Made and shown once when left out."`

	Path   string   `json:"path,omitempty" doc:"Absolute path of the plugin's binary."`
	SHA256 string   `json:"sha256,omitempty" doc:"Of the binary, verified at every start."`
	Args   []string `json:"args,omitempty"`
}

// AuthScheme is the header that authenticates provost to the service.
type AuthScheme struct {
	Type  string `json:"type" doc:"HEADER."`
	Key   string `json:"key" doc:"Name of the header, Authorization for instance."`
	Value string `json:"value,omitempty" doc:"Sent as it is. Write-only."`
}

// Body is a hook as a client sees it.
type Body struct {
	ID          string              `json:"id"`
	Status      string              `json:"status"`
	Name        string              `json:"name"`
	Type        plugins.Type        `json:"type"`
	Version     string              `json:"version"`
	Channel     Channel             `json:"channel"`
	TimeoutMS   int64               `json:"timeoutMs"`
	Retries     int64               `json:"retries"`
	FailureMode plugins.FailureMode `json:"failureMode"`
	Created     string              `json:"created"`
	LastUpdated string              `json:"lastUpdated"`
	Links       map[string]Link     `json:"_links"`
}

// Link is one HAL link.
type Link struct {
	Href  string `json:"href"`
	Hints Hints  `json:"hints"`
}

// Hints says which methods a link takes.
type Hints struct {
	Allow []string `json:"allow"`
}

// body is the public form of a hook.
func (w *row) body(ctx context.Context) *Body {
	return &Body{
		ID: w.ID, Status: w.Status, Name: w.Name, Type: w.Type, Version: w.Version, Channel: w.Channel,
		TimeoutMS: w.TimeoutMS, Retries: w.Retries, FailureMode: w.FailureMode,
		Created: w.Created.Format(timeFormat), LastUpdated: w.Updated.Format(timeFormat),
		Links: w.links(httpapi.PublicURL(ctx) + hooksPath + "/" + w.ID),
	}
}

// links leads on: an active hook can be deactivated, an inactive one activated or deleted.
func (w *row) links(self string) map[string]Link {
	post := Hints{Allow: []string{http.MethodPost}}
	links := map[string]Link{
		"self":    {Href: self, Hints: Hints{Allow: []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete}}},
		"execute": {Href: self + "/execute", Hints: post},
	}
	if w.Status == active {
		links["self"] = Link{Href: self, Hints: Hints{Allow: []string{http.MethodGet, http.MethodPut, http.MethodPost}}}
		links["deactivate"] = Link{Href: self + "/lifecycle/deactivate", Hints: post}
		return links
	}
	links["activate"] = Link{Href: self + "/lifecycle/activate", Hints: post}
	links["delete"] = Link{Href: self, Hints: Hints{Allow: []string{http.MethodDelete}}}
	return links
}
