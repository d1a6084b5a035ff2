package manage

import (
	"context"

	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/provisioning"
)

// importBody is an import of an app. counts are of people, groupCounts of groups.
type importBody struct {
	ID          string              `json:"id"`
	AppID       string              `json:"appId"`
	Status      string              `json:"status"`
	Mode        string              `json:"mode"`
	Type        string              `json:"type"`
	Reason      string              `json:"reason"`
	Counts      provisioning.Counts `json:"counts"`
	GroupCounts provisioning.Counts `json:"groupCounts"`
	Created     *string             `json:"created"`
	Finished    *string             `json:"finished"`
}

func showImport(r *provisioning.ImportRun) importBody {
	return importBody{
		ID: r.ID, AppID: r.AppID, Status: r.Status, Mode: r.Mode, Type: r.Type, Reason: r.Reason,
		Counts: r.Counts, GroupCounts: r.Groups, Created: httpapi.Stamp(r.Created), Finished: httpapi.Stamp(r.Finished),
	}
}

type startImportInput struct {
	httpapi.ByID
	Body *struct {
		Mode string `json:"mode"`
		Type string `json:"type"`
	}
}

type importOutput struct{ Body importBody }

func (h *handlers) startImport(ctx context.Context, in *startImportInput) (*importOutput, error) {
	mode, typ := provisioning.ModeRun, provisioning.TypeFull
	if in.Body != nil && in.Body.Mode != "" {
		mode = in.Body.Mode
	}
	if in.Body != nil && in.Body.Type != "" {
		typ = in.Body.Type
	}
	r, err := h.e.StartImport(ctx, change(ctx), in.ID, mode, typ)
	if err != nil {
		return nil, apiError(err, in.ID, "AppInstance")
	}
	return &importOutput{showImport(r)}, nil
}

func (h *handlers) listImports(ctx context.Context, in *pageByID) (*httpapi.List[importBody], error) {
	if _, err := h.app(ctx, in.ID); err != nil {
		return nil, err
	}
	runs, err := h.e.Imports(ctx, in.ID, in.Size(20, maxPage))
	if err != nil {
		return nil, err
	}
	out := make([]importBody, len(runs))
	for i, r := range runs {
		out[i] = showImport(r)
	}
	return httpapi.NewList(ctx, out, ""), nil
}

// ImportInput is the input of an operation on one import.
type ImportInput struct {
	httpapi.ByID
	ImportID string `path:"importId"`
}

func (h *handlers) readImport(ctx context.Context, in *ImportInput) (*importOutput, error) {
	r, err := h.e.Import(ctx, in.ID, in.ImportID)
	if err != nil {
		return nil, apiError(err, in.ImportID, "ImportJob")
	}
	return &importOutput{showImport(r)}, nil
}

// changeBody is one line of a plan.
type changeBody struct {
	Action     string                         `json:"action"`
	Type       string                         `json:"type"`
	ExternalID string                         `json:"externalId"`
	UserID     *string                        `json:"userId"`
	GroupID    *string                        `json:"groupId,omitempty"`
	Login      string                         `json:"login"`
	Attributes map[string]provisioning.FromTo `json:"attributes"`
	Reason     string                         `json:"reason"`
}

func showChange(c provisioning.PlannedChange) changeBody {
	b := changeBody{
		Action: c.Action, Type: c.Kind, ExternalID: c.ExternalID, Login: c.Login, Attributes: c.Attributes, Reason: c.Reason,
	}
	switch {
	case c.UserID == "":
	case c.Kind == provisioning.TypeGroup:
		b.GroupID = &c.UserID
	default:
		b.UserID = &c.UserID
	}
	return b
}

type changesInput struct {
	ImportInput
	httpapi.Paging
	Type string `query:"type" enum:"user,group" doc:"user (the default) or group."`
}

func (h *handlers) listChanges(ctx context.Context, in *changesInput) (*httpapi.List[changeBody], error) {
	kind := provisioning.TypeUser
	if in.Type != "" {
		kind = in.Type
	}
	limit := in.Size(1000, 1000)
	changes, err := h.e.ImportChanges(ctx, in.ID, in.ImportID, kind, in.After, limit+1)
	if err != nil {
		return nil, apiError(err, in.ImportID, "ImportJob")
	}
	changes, next := cut(changes, limit, func(c provisioning.PlannedChange) string { return c.ExternalID })
	out := make([]changeBody, len(changes))
	for i, c := range changes {
		out[i] = showChange(c)
	}
	return httpapi.NewList(ctx, out, next), nil
}

func (h *handlers) approveImport(ctx context.Context, in *ImportInput) (*importOutput, error) {
	if err := h.e.ApproveImport(ctx, change(ctx), in.ID, in.ImportID); err != nil {
		return nil, apiError(err, in.ImportID, "ImportJob")
	}
	return h.readImport(ctx, in)
}

func (h *handlers) cancelImport(ctx context.Context, in *ImportInput) (*importOutput, error) {
	if err := h.e.CancelImport(ctx, change(ctx), in.ID, in.ImportID); err != nil {
		return nil, apiError(err, in.ImportID, "ImportJob")
	}
	return h.readImport(ctx, in)
}

// taskBody is an export that has failed, with the target's own words.
type taskBody struct {
	ID        string    `json:"id"`
	UserID    *string   `json:"userId"`
	GroupID   *string   `json:"groupId,omitempty"`
	Operation string    `json:"operation"`
	Attempts  int       `json:"attempts"`
	Status    string    `json:"status"`
	LastError taskError `json:"lastError"`
	Created   *string   `json:"created"`
	NextTry   *string   `json:"nextTry"`
}

type taskError struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Kind   string `json:"kind"`
}

func showTask(t provisioning.Task) taskBody {
	b := taskBody{
		ID: t.ID, Operation: t.Operation, Attempts: t.Attempts, Status: t.Status, Created: httpapi.Stamp(t.Changed),
		LastError: taskError{Status: t.Error.Status, Body: t.Error.Body, Kind: t.Error.Kind},
	}
	if t.Kind == provisioning.TypeGroup {
		b.GroupID = &t.ObjectID
	} else {
		b.UserID = &t.ObjectID
	}
	if t.Status == provisioning.TaskRetrying {
		b.NextTry = httpapi.Stamp(t.NextTry)
	}
	return b
}

func (h *handlers) listTasks(ctx context.Context, in *pageByID) (*httpapi.List[taskBody], error) {
	if _, err := h.app(ctx, in.ID); err != nil {
		return nil, err
	}
	limit := in.Size(maxPage, 1000)
	tasks, err := h.e.Tasks(ctx, in.ID, in.After, limit+1)
	if err != nil {
		return nil, err
	}
	tasks, next := cut(tasks, limit, func(t provisioning.Task) string { return t.ID })
	out := make([]taskBody, len(tasks))
	for i, t := range tasks {
		out[i] = showTask(t)
	}
	return httpapi.NewList(ctx, out, next), nil
}

type retryInput struct {
	httpapi.ByID
	TaskID string `path:"taskId"`
}

func (h *handlers) retryTask(ctx context.Context, in *retryInput) (*done, error) {
	return &done{}, apiError(h.e.RetryTask(ctx, change(ctx), in.ID, in.TaskID), in.TaskID, "Task")
}
