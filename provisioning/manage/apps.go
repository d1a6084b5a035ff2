package manage

import (
	"context"
	"errors"
	"maps"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/provisioning"
)

// appBody is an app. Secrets of settings.app are never part of it.
type appBody struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	Label       string         `json:"label"`
	Status      string         `json:"status"`
	Features    []string       `json:"features"`
	Settings    map[string]any `json:"settings"`
	Created     *string        `json:"created"`
	LastUpdated *string        `json:"lastUpdated"`
}

func showApp(a *directory.App) appBody {
	return appBody{
		ID: a.ID, Name: a.Name, Label: a.Label, Status: a.Status, Features: a.Features, Settings: a.Settings,
		Created: httpapi.Stamp(a.Created), LastUpdated: httpapi.Stamp(a.Modified),
	}
}

type appOutput struct{ Body appBody }

func (h *handlers) listApps(ctx context.Context, in *httpapi.Paging) (*httpapi.List[appBody], error) {
	limit := in.Size(pageSize, maxPage)
	apps, err := h.dir.Apps(ctx, in.After, limit+1)
	if err != nil {
		return nil, err
	}
	apps, next := cut(apps, limit, func(a *directory.App) string { return a.ID })
	out := make([]appBody, len(apps))
	for i, a := range apps {
		out[i] = showApp(a)
	}
	return httpapi.NewList(ctx, out, next), nil
}

// appInput is an app as it is given; what is null or absent keeps its default, or its
// value when an app is replaced.
type appInput struct {
	Name     string         `json:"name"`
	Label    string         `json:"label"`
	Status   string         `json:"status"`
	Features []string       `json:"features"`
	Settings map[string]any `json:"settings"`
}

func (in appInput) app() directory.App {
	return directory.App{Name: in.Name, Label: in.Label, Status: in.Status, Features: in.Features, Settings: in.Settings}
}

func (h *handlers) createApp(ctx context.Context, in *struct{ Body appInput }) (*appOutput, error) {
	a := in.Body.app()
	given, _ := a.Settings["app"].(map[string]any)
	if err := h.checkSettings(ctx, a, given); err != nil {
		return nil, err
	}
	created, err := h.dir.CreateApp(ctx, change(ctx), a)
	if err != nil {
		return nil, apiError(err, "", "AppInstance")
	}
	return &appOutput{showApp(created)}, nil
}

// checkSettings has the connector look at the settings before they are stored.
func (h *handlers) checkSettings(ctx context.Context, a directory.App, config map[string]any) error {
	if h.e.Connectors[a.Name] == nil {
		if len(a.Features) > 0 {
			return httpapi.Invalid("name", "name: "+provisioning.ErrNoConnector.Error()+", so it has no features")
		}
		return nil
	}
	err := h.e.CheckSettings(ctx, a.Name, config)
	var target *provisioning.Error
	if err == nil || errors.As(err, &target) {
		return apiError(err, "", "AppInstance")
	}
	return httpapi.Invalid("settings.app", "settings.app: "+err.Error())
}

func (h *handlers) readApp(ctx context.Context, in *httpapi.ByID) (*appOutput, error) {
	a, err := h.dir.App(ctx, in.ID)
	if err != nil {
		return nil, apiError(err, in.ID, "AppInstance")
	}
	return &appOutput{showApp(a)}, nil
}

type replaceAppInput struct {
	httpapi.ByID
	Body appInput
}

func (h *handlers) replaceApp(ctx context.Context, in *replaceAppInput) (*appOutput, error) {
	old, err := h.dir.App(ctx, in.ID)
	if err != nil {
		return nil, apiError(err, in.ID, "AppInstance")
	}
	a := filled(in.Body.app(), old)
	config, err := h.dir.AppConfig(ctx, old)
	if err != nil {
		return nil, err
	}
	if err := h.checkSettings(ctx, a, merged(config, old, a)); err != nil {
		return nil, err
	}
	updated, err := h.dir.UpdateApp(ctx, change(ctx), in.ID, a)
	if err != nil {
		return nil, apiError(err, in.ID, "AppInstance")
	}
	return &appOutput{showApp(updated)}, nil
}

// filled keeps what the request leaves out.
func filled(a directory.App, old *directory.App) directory.App {
	if a.Name == "" {
		a.Name = old.Name
	}
	if a.Label == "" {
		a.Label = old.Label
	}
	if a.Features == nil {
		a.Features = old.Features
	}
	if a.Settings == nil {
		a.Settings = old.Settings
	}
	return a
}

// merged is settings.app as it will be: the secrets that stay, and what is given.
func merged(config map[string]any, old *directory.App, a directory.App) map[string]any {
	out := maps.Clone(config)
	open, _ := old.Settings["app"].(map[string]any)
	for name := range open {
		delete(out, name)
	}
	given, _ := a.Settings["app"].(map[string]any)
	return httpapi.Merge(out, given)
}

func (h *handlers) deleteApp(ctx context.Context, in *httpapi.ByID) (*none, error) {
	return nil, apiError(h.dir.DeleteApp(ctx, change(ctx), in.ID), in.ID, "AppInstance")
}

func (h *handlers) setStatus(status string) func(context.Context, *httpapi.ByID) (*done, error) {
	return func(ctx context.Context, in *httpapi.ByID) (*done, error) {
		return &done{}, apiError(h.dir.SetAppStatus(ctx, change(ctx), in.ID, status), in.ID, "AppInstance")
	}
}
