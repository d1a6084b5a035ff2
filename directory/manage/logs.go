package manage

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
)

// The contract: the page, and how far back a reader who does not say
// looks.
const (
	logLimit    = 100
	maxLogLimit = 1000
	logWindow   = 7 * 24 * time.Hour
)

type logsInput struct {
	httpapi.Paging
	Since     string `query:"since"`
	Until     string `query:"until"`
	Filter    string `query:"filter" doc:"eventType eq \"...\" and target.id eq \"...\""`
	SortOrder string `query:"sortOrder" enum:"ASCENDING,DESCENDING"`
}

// logEvent is a LogEvent, and what ours knows beyond it: the values before and after.
type logEvent struct {
	UUID        string          `json:"uuid"`
	Published   string          `json:"published"`
	EventType   string          `json:"eventType"`
	Version     string          `json:"version"`
	Severity    string          `json:"severity"`
	Message     string          `json:"displayMessage"`
	Actor       logEntity       `json:"actor"`
	Outcome     logOutcome      `json:"outcome"`
	Target      []logEntity     `json:"target"`
	Transaction map[string]any  `json:"transaction"`
	Debug       map[string]any  `json:"debugContext"`
	Before      json.RawMessage `json:"before,omitempty"`
	After       json.RawMessage `json:"after,omitempty"`
}

type logEntity struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	AlternateID string `json:"alternateId"`
	DisplayName string `json:"displayName"`
}

type logOutcome struct {
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
}

func (h *handlers) listLogs(ctx context.Context, in *logsInput) (*httpapi.List[logEvent], error) {
	q, err := h.logQuery(in)
	if err != nil {
		return nil, err
	}
	found, err := h.log.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	all := make([]logEvent, len(found))
	for i, e := range found {
		all[i] = logEventOf(e)
	}
	next := ""
	switch {
	case len(found) > 0 && (len(found) == q.Limit || polls(in)):
		next = strconv.FormatInt(found[len(found)-1].Seq, 10)
	case polls(in): // nothing yet: ask again from here (section 1.2)
		next = strconv.FormatInt(q.After, 10)
	}
	return httpapi.NewList(ctx, all, next), nil
}

// polls says whether the reader follows the log: upwards and without an end.
func polls(in *logsInput) bool { return in.Until == "" && in.SortOrder != "DESCENDING" }

func (h *handlers) logQuery(in *logsInput) (q events.Query, err error) {
	q.Limit, q.Descending = in.Size(logLimit, maxLogLimit), in.SortOrder == "DESCENDING"
	if q.Until, err = logTime("until", in.Until); err != nil {
		return q, err
	}
	if q.Since, err = logTime("since", in.Since); err != nil {
		return q, err
	}
	if in.Since == "" && in.After == "" {
		until := q.Until
		if until.IsZero() {
			until = h.dir.Now()
		}
		q.Since = until.Add(-logWindow)
	}
	if in.After != "" {
		if q.After, err = strconv.ParseInt(in.After, 10, 64); err != nil || q.After < 0 {
			return q, httpapi.New(http.StatusBadRequest, httpapi.EPaging, "Invalid paging request", "after: not a position of this log")
		}
	}
	return q, readLogFilter(in.Filter, &q)
}

func logTime(name, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, httpapi.New(http.StatusBadRequest, httpapi.EDate, "Invalid date. The form is yyyy-MM-dd'T'HH:mm:ss.SSSZ", name+": "+strconv.Quote(s))
	}
	return t, nil
}

func logEventOf(e events.Event) logEvent {
	l := logEvent{
		UUID: e.ID, Published: e.Time.UTC().Format(httpapi.TimeFormat), EventType: e.Type, Version: "0", Severity: severity(e),
		Message: e.Type, Actor: logEntity{ID: e.Actor.ID, Type: e.Actor.Type, AlternateID: e.Actor.ID, DisplayName: e.Actor.Name},
		Outcome: logOutcome{Result: e.Outcome, Reason: e.Reason}, Target: []logEntity{},
		Transaction: map[string]any{"type": "WEB", "id": e.Request, "detail": map[string]any{}},
		Debug:       map[string]any{"debugData": map[string]any{}}, Before: e.Before, After: e.After,
	}
	if e.Request == "" {
		l.Transaction["type"] = "JOB"
	}
	if e.Detail != nil {
		l.Debug["debugData"] = e.Detail
	}
	for _, t := range e.Targets {
		l.Target = append(l.Target, logEntity{ID: t.ID, Type: t.Type, AlternateID: t.ID, DisplayName: t.Name})
	}
	return l
}

func severity(e events.Event) string {
	if e.Outcome == events.Success || e.Outcome == "" {
		return "INFO"
	}
	return "WARN"
}
