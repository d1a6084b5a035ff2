package story

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// object is a JSON object as it came.
type object = map[string]any

// call sends body as JSON and returns the object of a 2xx answer.
func (s *Server) call(ctx context.Context, method, path string, body any) (object, error) {
	var out object
	err := s.do(ctx, method, path, body, &out)
	return out, err
}

func (s *Server) do(ctx context.Context, method, path string, body, out any) error {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, r)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.Token)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", contentType(path))
	}
	return roundTrip(req, out)
}

func contentType(path string) string {
	if strings.HasPrefix(path, "/scim/") {
		return "application/scim+json"
	}
	return "application/json"
}

// statusError is an answer that is not 2xx.
type statusError struct {
	Status int
	Body   string
	Call   string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s answers %d: %s", e.Call, e.Status, e.Body)
}

func roundTrip(req *http.Request, out any) error {
	resp, err := httpClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	b, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return &statusError{Status: resp.StatusCode, Body: string(b), Call: req.Method + " " + req.URL.Path}
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%s %s: %w in %q", req.Method, req.URL.Path, err, b)
	}
	return nil
}

// at walks into nested objects and arrays: at(o, "emails", 0, "value").
func at(v any, path ...any) any {
	for _, p := range path {
		switch key := p.(type) {
		case string:
			o, _ := v.(object)
			v = o[key]
		case int:
			a, _ := v.([]any)
			if key >= len(a) {
				return nil
			}
			v = a[key]
		}
	}
	return v
}

func str(v any, path ...any) string {
	s, _ := at(v, path...).(string)
	return s
}
