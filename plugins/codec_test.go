package plugins_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/provost-id/provost/plugins"
)

func TestDecodeTokenResponse(t *testing.T) {
	fits := map[string]string{
		"default action":      ``,
		"empty object":        ` {} `,
		"unknown members":     `{"later":true,"commands":[]}`,
		"another value shape": `{"commands":[{"type":"com.okta.user.update","value":{"id":"x"}}]}`,
		"just small enough":   `{"debugContext":{"x":"` + strings.Repeat("x", plugins.MaxResponse-26) + `"}}`,
	}
	for name, body := range fits {
		if _, err := plugins.DecodeTokenResponse([]byte(body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	unfit := map[string]string{
		"no JSON":        `<html>`,
		"null":           ` null`,
		"array":          `[]`,
		"string":         `"x"`,
		"blank":          ` `,
		"cut off":        `{"commands":[`,
		"two values":     `{}{}`,
		"rubbish behind": `{} x`,
		"wrong type":     `{"commands":"x"}`,
		"too large":      `{"debugContext":{"x":"` + strings.Repeat("x", plugins.MaxResponse-25) + `"}}`,
		"too deep":       strings.Repeat(`{"commands":`, 20000),
	}
	for name, body := range unfit {
		if _, err := plugins.DecodeTokenResponse([]byte(body)); !errors.Is(err, plugins.ErrAnswer) {
			t.Errorf("%s: %v, want ErrAnswer", name, err)
		}
	}
}

// TestMalformedCommand: a value of another shape is a bad command, not a failed call.
func TestMalformedCommand(t *testing.T) {
	resp, err := plugins.DecodeTokenResponse([]byte(`{"commands":[{"type":"com.okta.access.patch","value":{"x":1}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r := request()
	_, got, problems := plugins.ApplyToken(r, resp)
	if len(problems) != 1 || got != r.Data.Access {
		t.Errorf("problems %v", problems)
	}
}

func TestErrorsOfTheContract(t *testing.T) {
	refusal := plugins.Refuse("No tokens on Sundays.")
	tests := map[string]struct {
		err               error
		code, description string
	}{
		"refused":               {refusal, "E0000135", "No tokens on Sundays."},
		"refused without words": {plugins.Refuse(""), "E0000135", "The callback service returned an error."},
		"no answer":             {plugins.ErrTimeout, "E0000137", "The callback service returned an error."},
		"no connection":         {plugins.ErrCommunication, "E0000134", "The callback service returned an error."},
	}
	for name, tt := range tests {
		if got := plugins.Code(tt.err); got != tt.code {
			t.Errorf("%s: code %s, want %s", name, got, tt.code)
		}
		if got := plugins.Description(tt.err); got != tt.description {
			t.Errorf("%s: description %q, want %q", name, got, tt.description)
		}
	}
}
