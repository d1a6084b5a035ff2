package manage

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/plugins"
)

const hooksPath = "/api/v1/inlineHooks"

// Executor calls a hook by hand: the dispatcher.
type Executor interface {
	Execute(ctx context.Context, id string, payload []byte) ([]byte, error)
}

var _ Executor = (*plugins.Dispatcher)(nil)

// HookID is the hook of an operation. It is exported because huma reads its fields.
type HookID struct {
	ID string `path:"id"`
}

type hookOutput struct{ Body *Body }

// Register adds the operations of /api/v1/inlineHooks.
func Register(api huma.API, s *Service, x Executor) {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: method, Path: hooksPath + path, Summary: summary,
			Tags: []string{"Inline hooks"}, DefaultStatus: http.StatusOK,
		}
	}
	huma.Register(api, op("listInlineHooks", http.MethodGet, "", "List inline hooks"), s.listHooks)
	huma.Register(api, op("createInlineHook", http.MethodPost, "", "Create an inline hook"), s.createHook)
	huma.Register(api, op("getInlineHook", http.MethodGet, "/{id}", "Read an inline hook"), s.readHook)
	huma.Register(api, op("replaceInlineHook", http.MethodPut, "/{id}", "Replace an inline hook"), s.replaceHook)
	huma.Register(api, op("updateInlineHook", http.MethodPost, "/{id}", "Change members of an inline hook"), s.updateHook)
	huma.Register(api, op("activateInlineHook", http.MethodPost, "/{id}/lifecycle/activate", "Activate an inline hook"),
		s.lifecycle(active, "inline_hook.activated"))
	huma.Register(api, op("deactivateInlineHook", http.MethodPost, "/{id}/lifecycle/deactivate", "Deactivate an inline hook"),
		s.lifecycle(inactive, "inline_hook.deactivated"))
	huma.Register(api, op("executeInlineHook", http.MethodPost, "/{id}/execute", "Call an inline hook with a payload"),
		s.executeHook(x))
	gone := op("deleteInlineHook", http.MethodDelete, "/{id}", "Delete an inactive inline hook")
	gone.DefaultStatus = http.StatusNoContent
	huma.Register(api, gone, s.deleteHook)
}

func (s *Service) listHooks(ctx context.Context, in *struct {
	Type string `query:"type" doc:"Only hooks of this type."`
}) (*httpapi.List[*Body], error) {
	rows, err := list(ctx, s.DB, plugins.Type(in.Type))
	if err != nil {
		return nil, err
	}
	bodies := make([]*Body, 0, len(rows))
	for _, w := range rows {
		bodies = append(bodies, w.body(ctx))
	}
	return httpapi.NewList(ctx, bodies, ""), nil
}

func (s *Service) createHook(ctx context.Context, in *struct{ Body Input }) (*hookOutput, error) {
	w, sec, err := s.create(ctx, in.Body)
	if err != nil {
		return nil, apiError(err, "")
	}
	out := w.body(ctx)
	if in.Body.Channel.Config.SigningSecret == "" {
		out.Channel.Config.SigningSecret = sec.SigningSecret // made here, shown this once
	}
	return &hookOutput{out}, nil
}

func (s *Service) readHook(ctx context.Context, in *HookID) (*hookOutput, error) {
	w, err := one(ctx, s.DB, in.ID)
	if err != nil {
		return nil, apiError(err, in.ID)
	}
	return &hookOutput{w.body(ctx)}, nil
}

func (s *Service) replaceHook(ctx context.Context, in *struct {
	HookID
	Body Input
}) (*hookOutput, error) {
	w, err := s.replace(ctx, in.ID, func(*row) (Input, error) { return in.Body, nil })
	if err != nil {
		return nil, apiError(err, in.ID)
	}
	return &hookOutput{w.body(ctx)}, nil
}

func (s *Service) updateHook(ctx context.Context, in *struct {
	HookID
	Body httpapi.RawBody
}) (*hookOutput, error) {
	w, err := s.replace(ctx, in.ID, partial(in.Body))
	if err != nil {
		return nil, apiError(err, in.ID)
	}
	return &hookOutput{w.body(ctx)}, nil
}

func (s *Service) lifecycle(status, event string) func(context.Context, *HookID) (*hookOutput, error) {
	return func(ctx context.Context, in *HookID) (*hookOutput, error) {
		w, err := s.setStatus(ctx, in.ID, status, event)
		if err != nil {
			return nil, apiError(err, in.ID)
		}
		return &hookOutput{w.body(ctx)}, nil
	}
}

func (s *Service) deleteHook(ctx context.Context, in *HookID) (*struct{}, error) {
	if err := s.remove(ctx, in.ID); err != nil {
		return nil, apiError(err, in.ID)
	}
	return nil, nil
}

type executeInput struct {
	HookID
	Body httpapi.RawBody `doc:"A whole payload of the hook's type."`
}

type executeOutput struct {
	Body json.RawMessage
}

// executeHook calls the hook for real, once more when that fails, and hands its answer back.
func (s *Service) executeHook(x Executor) func(context.Context, *executeInput) (*executeOutput, error) {
	return func(ctx context.Context, in *executeInput) (*executeOutput, error) {
		w, err := one(ctx, s.DB, in.ID)
		if err != nil {
			return nil, apiError(err, in.ID)
		}
		var t plugins.Type
		if present, err := in.Body.Field("eventType", &t); err != nil || present && t != w.Type {
			return nil, httpapi.Invalid("eventType", "eventType: The payload is for a hook of another type")
		}
		payload, err := json.Marshal(in.Body)
		if err != nil {
			return nil, err
		}
		answer, err := x.Execute(ctx, in.ID, payload)
		if err != nil {
			return nil, apiError(err, in.ID)
		}
		if len(answer) == 0 {
			answer = []byte("{}") // status 204: the default action
		}
		return &executeOutput{answer}, nil
	}
}

// apiError is where the errors of this package become those of the management API.
func apiError(err error, id string) error {
	var fault *plugins.ConfigError
	switch {
	case errors.As(err, &fault):
		return httpapi.Invalid(fault.Field, fault.Error())
	case errors.Is(err, ErrNotFound), errors.Is(err, plugins.ErrUnknownHook):
		return httpapi.NotFound(id, "InlineHook")
	case errors.Is(err, ErrName):
		return httpapi.Invalid("name", "name: An object with this field already exists in the current organization")
	case errors.Is(err, ErrActive), errors.Is(err, ErrInUse), errors.Is(err, ErrTooMany):
		return httpapi.Invalid("inlineHook", err.Error())
	case errors.Is(err, plugins.ErrAnswer):
		return httpapi.Invalid("response", err.Error())
	case errors.Is(err, plugins.ErrTimeout):
		return httpapi.New(http.StatusGatewayTimeout, httpapi.EHookTimeout, "There was no response from the inline hook.", err.Error())
	case errors.Is(err, plugins.ErrCommunication):
		return httpapi.New(http.StatusBadGateway, httpapi.EHookConnection, "Could not communicate correctly with an inline hook.", err.Error())
	}
	return err
}
