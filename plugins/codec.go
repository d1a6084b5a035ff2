package plugins

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxResponse bounds a response: it has less than 256 KB.
const MaxResponse = 256 << 10

// ErrAnswer is returned for an answer that does not fit the contract.
var ErrAnswer = errors.New("answer does not fit the contract")

// DecodeTokenResponse reads the answer of a token hook. An empty answer is the
// default action (status 204): nothing changes.
func DecodeTokenResponse(b []byte) (*TokenResponse, error) {
	resp := &TokenResponse{}
	if len(b) == 0 {
		return resp, nil
	}
	if len(b) >= MaxResponse {
		return nil, fmt.Errorf("%w: it has %d bytes, the limit is less than %d", ErrAnswer, len(b), MaxResponse)
	}
	if !bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) { // encoding/json takes null too
		return nil, fmt.Errorf("%w: it is no JSON object", ErrAnswer)
	}
	if err := decodeNumbers(b, resp); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return resp, nil
}

// eventType is the type of the hook that a payload is for.
func eventType(payload []byte) (Type, error) {
	var e struct {
		EventType Type `json:"eventType"`
	}
	if err := json.Unmarshal(payload, &e); err != nil {
		return "", fmt.Errorf("read payload: %w", err)
	}
	return e.EventType, nil
}
