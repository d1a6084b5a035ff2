package plugins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Caller carries one payload to a hook and its answer back: one transport. An empty
// answer is the default action. The context bounds the call; an implementation
// returns soon after it is done.
type Caller interface {
	Call(ctx context.Context, payload []byte) ([]byte, error)
}

// Hooks are the hooks that one author offers; nil for those that are not offered.
// Every transport serves them, and in tests they are a Caller themselves.
type Hooks struct {
	Token TokenHook
}

var _ Caller = Hooks{}

// Call answers one payload with the hook of its type. A hook that returns Refuse
// answers with the error object of the contract; any other error of the hook, and
// its panics, are errors of Call.
func (h Hooks) Call(ctx context.Context, payload []byte) (answer []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, fmt.Errorf("hook panicked: %v", p)
		}
	}()
	t, err := eventType(payload)
	if err != nil {
		return nil, err
	}
	if t != TypeToken || h.Token == nil {
		return nil, fmt.Errorf("no hook of type %.100q here", string(t))
	}
	r := &TokenRequest{}
	if err := json.Unmarshal(payload, r); err != nil {
		return nil, fmt.Errorf("read payload: %w", err)
	}
	return encode(h.Token.Token(ctx, r))
}

// encode is the answer of a token hook as bytes.
func encode(resp *TokenResponse, err error) ([]byte, error) {
	var refusal *Error
	switch {
	case errors.As(err, &refusal):
		resp = &TokenResponse{Error: refusal}
	case err != nil:
		return nil, err
	case resp == nil:
		resp = &TokenResponse{}
	}
	b, err := json.Marshal(resp)
	if err != nil {
		return nil, fmt.Errorf("write answer: %w", err)
	}
	if len(b) >= MaxResponse {
		return nil, fmt.Errorf("answer has %d bytes, the limit is less than %d", len(b), MaxResponse)
	}
	return b, nil
}
