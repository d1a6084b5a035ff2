package manage

import (
	"context"
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/internal/httpapi"
)

func (h *handlers) registerStreams(api huma.API) {
	op := httpapi.Tagged("EventStream")
	huma.Register(api, op("listEventStreams", "GET", "/scim/streams", "List event streams"), h.listStreams)
	huma.Register(api, op("createEventStream", "POST", "/scim/streams", "Create an event stream"), h.createStream)
	huma.Register(api, op("getEventStream", "GET", "/scim/streams/{id}", "Read an event stream"), h.readStream)
	huma.Register(api, op("replaceEventStream", "PUT", "/scim/streams/{id}", "Replace an event stream's description"), h.replaceStream)
	huma.Register(api, op("deleteEventStream", "DELETE", "/scim/streams/{id}", "Delete an event stream"), h.deleteStream)
	huma.Register(api, op("pauseEventStream", "POST", "/scim/streams/{id}/lifecycle/pause", "Pause an event stream where it stands"), h.pauseStream)
	huma.Register(api, op("resumeEventStream", "POST", "/scim/streams/{id}/lifecycle/resume", "Let an event stream go on; one that has expired goes on from now"), h.resumeStream)
	huma.Register(api, op("listDeadLetters", "GET", "/scim/streams/{id}/deadLetters", "List the events that the receiver refused for good"), h.listLetters)
	huma.Register(api, op("listEventKeys", "GET", "/scim/streamKeys", "List the keys that sign events"), h.listEventKeys)
	huma.Register(api, op("rotateEventKeys", "POST", "/scim/streamKeys/lifecycle/rotate", "Rotate the keys that sign events"), h.rotateEventKeys)
}

// streamInput is a stream as a client describes it.
type streamInput struct {
	Label              string         `json:"label" doc:"1 to 255 characters."`
	ClientID           string         `json:"clientId" doc:"The API token or client that may poll; its external IDs name the subjects."`
	Delivery           streamDelivery `json:"delivery"`
	Audience           []string       `json:"aud" doc:"The URL of the stream when left out."`
	Events             []string       `json:"events" doc:"Event URIs (RFC 9967); those without values when left out."`
	ResourceTypes      []string       `json:"resourceTypes" doc:"All when left out."`
	Attributes         []string       `json:"attributes" doc:"What is told at most; as in a SCIM request."`
	ExcludedAttributes []string       `json:"excludedAttributes"`
	Algorithm          string         `json:"alg" doc:"ES256 or RS256; ES256 when left out."`
}

type streamDelivery struct {
	Method        string  `json:"method" doc:"push (RFC 8935) or poll (RFC 8936)."`
	EndpointURL   string  `json:"endpointUrl,omitempty" doc:"Where a push goes: https."`
	Authorization *string `json:"authorizationHeader,omitempty" doc:"Sent with a push. Write-only; kept when left out, removed when empty."`
}

func (in streamInput) stream() feed.Input {
	return feed.Input{
		Config: feed.Config{
			Label: in.Label, Client: in.ClientID, Method: in.Delivery.Method, Endpoint: in.Delivery.EndpointURL, Audience: in.Audience,
			Events: in.Events, Types: in.ResourceTypes, Attributes: in.Attributes, Excluded: in.ExcludedAttributes, Algorithm: in.Algorithm,
		},
		Authorization: in.Delivery.Authorization,
	}
}

// streamBody is a stream as a client sees it.
type streamBody struct {
	ID                 string       `json:"id"`
	Label              string       `json:"label"`
	Status             string       `json:"status" doc:"ENABLED, PAUSED or EXPIRED."`
	ClientID           string       `json:"clientId,omitempty"`
	Delivery           shown        `json:"delivery"`
	Issuer             string       `json:"iss"`
	Audience           []string     `json:"aud"`
	JWKSURI            string       `json:"jwks_uri"`
	Algorithm          string       `json:"alg"`
	Events             []string     `json:"events"`
	ResourceTypes      []string     `json:"resourceTypes,omitempty"`
	Attributes         []string     `json:"attributes,omitempty"`
	ExcludedAttributes []string     `json:"excludedAttributes,omitempty"`
	Created            *string      `json:"created"`
	LastUpdated        *string      `json:"lastUpdated"`
	Progress           progressBody `json:"progress"`
}

// shown is the delivery without its secret. A poll's endpoint is ours.
type shown struct {
	Method           string `json:"method"`
	EndpointURL      string `json:"endpointUrl"`
	HasAuthorization bool   `json:"hasAuthorizationHeader,omitempty"`
}

// progressBody says how far a stream has come.
type progressBody struct {
	Position       int64      `json:"position" doc:"Number of the last event of the log that has been taken, handed out, or passed over."`
	Head           int64      `json:"head" doc:"Number of the last event that changed a resource."`
	Unacknowledged int        `json:"unacknowledged" doc:"Events that a poll has returned and nobody has acknowledged."`
	DeadLetters    int        `json:"deadLetters"`
	LastDelivered  *string    `json:"lastDelivered"`
	LastError      *lastError `json:"lastError,omitempty"`
	RetainedFor    string     `json:"retainedFor" doc:"How far it may fall behind before it expires."`
}

type lastError struct {
	Message  string  `json:"message"`
	Time     *string `json:"time"`
	Attempts int     `json:"attempts"`
	NextTry  *string `json:"nextTry"`
}

func (h *handlers) streamBody(st *feed.Stream, head int64) streamBody {
	b := streamBody{
		ID: st.ID, Label: st.Label, Status: st.Status, ClientID: st.Client, Issuer: h.feed.Issuer, Audience: h.feed.AudienceOf(st),
		Delivery: shown{Method: st.Method, EndpointURL: st.Endpoint, HasAuthorization: st.HasAuthorization},
		JWKSURI:  h.feed.KeysURL(), Algorithm: st.Algorithm, Events: st.Events, ResourceTypes: st.Types,
		Attributes: st.Attributes, ExcludedAttributes: st.Excluded, Created: httpapi.Stamp(st.Created), LastUpdated: httpapi.Stamp(st.Updated),
		Progress: progressBody{
			Position: st.Position, Head: head, Unacknowledged: st.Waiting, DeadLetters: st.Letters,
			LastDelivered: httpapi.Stamp(st.Delivered), RetainedFor: feed.Retention.String(),
		},
	}
	if st.Method == feed.Poll {
		b.Delivery.EndpointURL = h.feed.PollURL(st.ID)
	}
	if st.Error != "" {
		b.Progress.LastError = &lastError{Message: st.Error, Time: httpapi.Stamp(st.ErrorTime), Attempts: st.Attempts, NextTry: httpapi.Stamp(st.NextTry)}
	}
	return b
}

type streamOutput struct{ Body streamBody }

// stream is the answer of an operation on one stream.
func (h *handlers) stream(ctx context.Context, st *feed.Stream, err error, id string) (*streamOutput, error) {
	if err != nil {
		return nil, streamError(err, id)
	}
	head, err := h.log.LastChange(ctx)
	if err != nil {
		return nil, err
	}
	return &streamOutput{Body: h.streamBody(st, head)}, nil
}

func streamError(err error, id string) error {
	var invalid *feed.InputError
	switch {
	case errors.As(err, &invalid):
		return httpapi.Invalid(invalid.Field, invalid.Error())
	case errors.Is(err, feed.ErrNotFound):
		return httpapi.NotFound(id, "EventStream")
	case errors.Is(err, feed.ErrTooMany):
		return httpapi.Invalid("stream", err.Error())
	}
	return err
}

func (h *handlers) by(ctx context.Context) feed.Change {
	return feed.Change{Actor: httpapi.Caller(ctx).Actor(), Request: httpapi.RequestID(ctx)}
}

func (h *handlers) listStreams(ctx context.Context, _ *struct{}) (*struct{ Body []streamBody }, error) {
	all, err := h.feed.Streams(ctx)
	if err != nil {
		return nil, err
	}
	head, err := h.log.LastChange(ctx)
	if err != nil {
		return nil, err
	}
	out := &struct{ Body []streamBody }{Body: []streamBody{}}
	for _, st := range all {
		out.Body = append(out.Body, h.streamBody(st, head))
	}
	return out, nil
}

func (h *handlers) createStream(ctx context.Context, in *struct{ Body streamInput }) (*streamOutput, error) {
	st, err := h.feed.CreateStream(ctx, h.by(ctx), in.Body.stream())
	return h.stream(ctx, st, err, "")
}

func (h *handlers) readStream(ctx context.Context, in *httpapi.ByID) (*streamOutput, error) {
	st, err := h.feed.Stream(ctx, in.ID)
	return h.stream(ctx, st, err, in.ID)
}

type replaceStreamInput struct {
	httpapi.ByID
	Body streamInput
}

func (h *handlers) replaceStream(ctx context.Context, in *replaceStreamInput) (*streamOutput, error) {
	st, err := h.feed.UpdateStream(ctx, h.by(ctx), in.ID, in.Body.stream())
	return h.stream(ctx, st, err, in.ID)
}

func (h *handlers) deleteStream(ctx context.Context, in *httpapi.ByID) (*empty, error) {
	if err := h.feed.DeleteStream(ctx, h.by(ctx), in.ID); err != nil {
		return nil, streamError(err, in.ID)
	}
	return nil, nil
}

func (h *handlers) pauseStream(ctx context.Context, in *httpapi.ByID) (*streamOutput, error) {
	st, err := h.feed.PauseStream(ctx, h.by(ctx), in.ID)
	return h.stream(ctx, st, err, in.ID)
}

func (h *handlers) resumeStream(ctx context.Context, in *httpapi.ByID) (*streamOutput, error) {
	st, err := h.feed.ResumeStream(ctx, h.by(ctx), in.ID)
	return h.stream(ctx, st, err, in.ID)
}

// letterBody is an event that the receiver refused for good.
type letterBody struct {
	JTI         string  `json:"jti"`
	EventID     string  `json:"eventId" doc:"The uuid of the event in the system log."`
	Err         string  `json:"err" doc:"The code of RFC 8935."`
	Description string  `json:"description"`
	Time        *string `json:"time"`
}

func (h *handlers) listLetters(ctx context.Context, in *httpapi.ByID) (*struct{ Body []letterBody }, error) {
	all, err := h.feed.Letters(ctx, in.ID)
	if err != nil {
		return nil, streamError(err, in.ID)
	}
	out := &struct{ Body []letterBody }{Body: []letterBody{}}
	for _, l := range all {
		out.Body = append(out.Body, letterBody{JTI: l.JTI, EventID: l.Event, Err: l.Err, Description: l.Description, Time: httpapi.Stamp(l.Time)})
	}
	return out, nil
}

// eventKeyBody is a signing key without its private part.
type eventKeyBody struct {
	KeyID       string  `json:"kid"`
	Algorithm   string  `json:"alg"`
	Status      string  `json:"status" doc:"ACTIVE, NEXT or EXPIRED."`
	Created     *string `json:"created"`
	LastUpdated *string `json:"lastUpdated"`
}

type eventKeyList struct{ Body []eventKeyBody }

func (h *handlers) listEventKeys(ctx context.Context, _ *struct{}) (*eventKeyList, error) {
	all, err := h.feed.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	out := &eventKeyList{Body: []eventKeyBody{}}
	for _, k := range all {
		out.Body = append(out.Body, eventKeyBody{
			KeyID: k.ID, Algorithm: k.Algorithm, Status: k.Status, Created: httpapi.Stamp(k.Created), LastUpdated: httpapi.Stamp(k.Changed),
		})
	}
	return out, nil
}

func (h *handlers) rotateEventKeys(ctx context.Context, _ *struct{}) (*eventKeyList, error) {
	if err := h.feed.RotateKeys(ctx, h.by(ctx)); err != nil {
		return nil, err
	}
	return h.listEventKeys(ctx, nil)
}
