package manage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/passwords"
	"github.com/provost-id/provost/internal/httpapi"
)

// registerPolicies adds the password policy (the contract): the system
// default, which can be changed and not deleted.
func (h *handlers) registerPolicies(api huma.API) {
	op := httpapi.Tagged("Policy")
	huma.Register(api, op("listPolicies", "GET", "/policies", "List policies of a type"), h.listPolicies)
	huma.Register(api, op("getPolicy", "GET", "/policies/{id}", "Read a policy"), h.readPolicy)
	huma.Register(api, op("replacePolicy", "PUT", "/policies/{id}", "Replace the settings of a policy"), h.replacePolicy)
	huma.Register(api, op("deletePolicy", "DELETE", "/policies/{id}", "Refused for the system default"), h.deletePolicy)
}

const passwordPolicy = "PASSWORD"

type listPoliciesInput struct {
	Type string `query:"type" doc:"PASSWORD."`
}

type policiesOutput struct{ Body []map[string]any }

func (h *handlers) listPolicies(ctx context.Context, in *listPoliciesInput) (*policiesOutput, error) {
	switch in.Type {
	case passwordPolicy:
	case "":
		return nil, httpapi.New(http.StatusBadRequest, httpapi.EMissing, "The request is missing a required parameter.", "type: must be PASSWORD")
	default:
		return nil, httpapi.Invalid("type", "type: there are only policies of type PASSWORD")
	}
	p, err := h.dir.PasswordPolicy(ctx)
	if err != nil {
		return nil, err
	}
	return &policiesOutput{Body: []map[string]any{h.policyBody(ctx, p)}}, nil
}

type policyOutput struct{ Body map[string]any }

func (h *handlers) readPolicy(ctx context.Context, in *httpapi.ByID) (*policyOutput, error) {
	p, err := h.policy(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &policyOutput{Body: h.policyBody(ctx, p)}, nil
}

func (h *handlers) policy(ctx context.Context, id string) (*directory.Policy, error) {
	p, err := h.dir.PasswordPolicy(ctx)
	if err != nil {
		return nil, err
	}
	if p.ID != id {
		return nil, httpapi.NotFound(id, "Policy")
	}
	return p, nil
}

type replacePolicyInput struct {
	httpapi.ByID
	Body httpapi.RawBody
}

// replacePolicy takes the settings. What is left out of them has its default; what
// else a policy has cannot be changed.
func (h *handlers) replacePolicy(ctx context.Context, in *replacePolicyInput) (*policyOutput, error) {
	p, err := h.policy(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := checkFixed(in.Body, h.policyBody(ctx, p)); err != nil {
		return nil, err
	}
	settings, err := readSettings(in.Body["settings"])
	if err != nil {
		return nil, err
	}
	p, err = h.dir.SetPasswordPolicy(ctx, change(ctx), in.ID, settings)
	if err != nil {
		return nil, apiError(err, "settings", in.ID, "Policy")
	}
	return &policyOutput{Body: h.policyBody(ctx, p)}, nil
}

func (h *handlers) deletePolicy(ctx context.Context, in *httpapi.ByID) (*empty, error) {
	if _, err := h.policy(ctx, in.ID); err != nil {
		return nil, err
	}
	return nil, apiError(directory.ErrProtected, "", in.ID, "Policy")
}

// policyBody is the policy as the contract shows it.
func (h *handlers) policyBody(ctx context.Context, p *directory.Policy) map[string]any {
	self := httpapi.PublicURL(ctx) + "/api/v1/policies/" + p.ID
	return map[string]any{
		"id": p.ID, "type": passwordPolicy, "name": "Default Policy", "status": "ACTIVE", "priority": 1, "system": true,
		"description": "The password policy of everybody.",
		"conditions": map[string]any{
			"people":       map[string]any{"groups": map[string]any{"include": []string{h.dir.EveryoneID()}}},
			"authProvider": map[string]any{"provider": "OKTA"},
		},
		"settings": map[string]any{"password": p.Settings},
		"created":  httpapi.Stamp(p.Created), "lastUpdated": httpapi.Stamp(p.Modified),
		"_links": map[string]any{"self": map[string]any{
			"href": self, "hints": map[string]any{"allow": []string{"GET", "PUT"}},
		}},
	}
}

// ignored are members that a client sends back as it read them.
var ignored = map[string]bool{"settings": true, "created": true, "lastUpdated": true, "_links": true, "_embedded": true}

// checkFixed refuses a member that would change what cannot be changed.
func checkFixed(body httpapi.RawBody, shown map[string]any) error {
	for name, raw := range body {
		if ignored[name] {
			continue
		}
		is, known := shown[name]
		if !known {
			return httpapi.Invalid(name, name+": a policy of type PASSWORD has no such member here")
		}
		if same, err := sameJSON(raw, is); err != nil || !same {
			return httpapi.Invalid(name, name+": The value of the system default cannot be changed")
		}
	}
	return nil
}

func sameJSON(raw json.RawMessage, v any) (bool, error) {
	shown, err := json.Marshal(v)
	if err != nil {
		return false, err
	}
	var a, b any
	if err := errors.Join(json.Unmarshal(raw, &a), json.Unmarshal(shown, &b)); err != nil {
		return false, err
	}
	return reflect.DeepEqual(a, b), nil
}

// readSettings decodes settings over the defaults. A setting that is not known is
// refused: to accept it would promise what nothing does.
func readSettings(raw json.RawMessage) (passwords.Policy, error) {
	settings := struct {
		Password passwords.Policy `json:"password"`
	}{passwords.Default()}
	if raw == nil {
		return settings.Password, httpapi.Invalid("settings", "settings: The field cannot be left blank")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&settings); err != nil {
		return settings.Password, settingsError(err)
	}
	return settings.Password, nil
}

func settingsError(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return httpapi.Invalid("settings."+wrong.Field, "settings."+wrong.Field+": The value is of the wrong type")
	}
	_, name, _ := strings.Cut(err.Error(), "unknown field ")
	return httpapi.Invalid("settings", "settings: a password policy has no setting "+name+" here")
}
