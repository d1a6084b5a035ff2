package feed

import (
	"encoding/json"
	"strings"

	"github.com/provost-id/provost/schemas"
	wire "github.com/provost-id/provost/schemas/scim"
)

// operations are the PATCH that makes these changes (RFC 7644, section 3.5.2).
func operations(changes []schemas.AttributeChange) []wire.PatchOperation {
	ops := make([]wire.PatchOperation, len(changes))
	for i, c := range changes {
		ops[i] = wire.PatchOperation{Op: "remove", Path: c.Path}
		if c.Value != nil {
			ops[i].Op, ops[i].Value = "replace", c.Value
		}
	}
	return ops
}

func paths(changes []schemas.AttributeChange) []string {
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = c.Path
	}
	return names
}

// patchData is the body of the PATCH; nil without operations.
func patchData(ops []wire.PatchOperation) (json.RawMessage, error) {
	if len(ops) == 0 {
		return nil, nil
	}
	return json.Marshal(wire.PatchRequest{Schemas: []string{wire.MessagePatch}, Operations: ops})
}

// member is one of the members attribute (RFC 7643, section 4.2).
type member struct {
	Value string `json:"value"`
	Ref   string `json:"$ref"`
	Type  string `json:"type"`
}

// memberOps adds those who came, or takes out those who went.
func (x *teller) memberOps() []wire.PatchOperation {
	var came []member
	var went []wire.PatchOperation
	for _, target := range x.ev.Targets {
		if target.ID == x.ev.Resource.ID {
			continue
		}
		m := member{Value: target.ID, Type: "User"}
		if target.Type != "User" {
			m.Type = "Group"
		}
		m.Ref = x.s.Issuer + "/" + m.Type + "s/" + m.Value
		came = append(came, m)
		went = append(went, wire.PatchOperation{Op: "remove", Path: `members[value eq "` + m.Value + `"]`})
	}
	if strings.HasSuffix(x.ev.Type, ".remove") {
		return went
	}
	value, err := json.Marshal(came)
	if err != nil { // strings always encode
		panic(err)
	}
	return []wire.PatchOperation{{Op: "add", Path: "members", Value: value}}
}
