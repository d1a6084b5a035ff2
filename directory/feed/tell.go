package feed

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/schemas"
	wire "github.com/provost-id/provost/schemas/scim"
)

// teller makes one event of the log into the events of a SET. Everything comes from the
// event itself: what is sent again is the same as before, and each version of a
// resource is told as it was.
type teller struct {
	s     *Service
	st    *Stream
	ev    *events.Event
	t     *schemas.Type
	p     *schemas.Projection
	about directory.Subject // what is beside the event: names of now
}

func (x *teller) wants(uri string) bool { return slices.Contains(x.st.Events, uri) }

func (x *teller) version() string {
	return `W/"` + strconv.FormatInt(x.ev.Resource.Version, 10) + `"`
}

func (x *teller) tell() (map[string]payload, error) {
	switch x.ev.Resource.Op {
	case events.Create:
		return x.created()
	case events.Put:
		return x.replaced()
	case events.Delete: // RFC 9967, section 2.4.4: no attributes
		if x.wants(deleted) {
			return map[string]payload{deleted: {}}, nil
		}
		return nil, nil
	}
	return x.patched()
}

// externalID is what the client of the stream calls the resource, or called it.
func (x *teller) externalID() string {
	if x.ev.Resource.Op != events.Delete {
		return x.about.ExternalID
	}
	ids, _ := x.ev.Detail["externalIds"].(map[string]any)
	name, _ := ids[x.st.Client].(string)
	return name
}

func (x *teller) created() (map[string]payload, error) {
	changes, err := x.t.Changes(nil, x.ev.After, x.p)
	if err != nil {
		return nil, err
	}
	names := []string{"id"}
	if x.externalID() != "" && x.p.Includes("externalId") {
		names = append(names, "externalId")
	}
	if x.ev.Resource.Active != nil && x.p.Includes("active") {
		names = append(names, "active")
	}
	return x.choose(createFull, createNotice, x.render(x.ev.After), append(names, paths(changes)...)), nil
}

func (x *teller) replaced() (map[string]payload, error) {
	changes, err := x.changes()
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	return x.choose(putFull, putNotice, x.render(x.ev.Resource.Doc), paths(changes)), nil
}

func (x *teller) patched() (map[string]payload, error) {
	var ops []wire.PatchOperation
	var names []string
	told := map[string]payload{}
	switch {
	case x.ev.Type == "user.account.update_password":
		if !x.limited("password") {
			names = []string{"password"} // that it changed, and never a value
		}
	case strings.HasPrefix(x.ev.Type, "group.user_membership."), strings.HasPrefix(x.ev.Type, "group.group_membership."):
		if x.p.Includes("members") {
			ops, names = x.memberOps(), []string{"members"}
		}
	default:
		changes, err := x.changes()
		if err != nil {
			return nil, err
		}
		if is, flipped := x.flipped(); flipped {
			if x.p.Includes("active") {
				changes = append(changes, schemas.AttributeChange{Path: "active", Value: strconv.AppendBool(nil, is)})
			}
			if uri := map[bool]string{true: activate, false: deactivate}[is]; x.wants(uri) {
				told[uri] = payload{}
			}
		}
		ops, names = operations(changes), paths(changes)
	}
	if len(names) == 0 {
		return told, nil
	}
	data, err := patchData(ops)
	if err != nil {
		return nil, err
	}
	for uri, p := range x.choose(patchFull, patchNotice, data, names) {
		told[uri] = p
	}
	return told, nil
}

// choose makes the event with the values when the stream wants them and there are any,
// else the one with the names.
func (x *teller) choose(full, notice string, data json.RawMessage, names []string) map[string]payload {
	switch {
	case data != nil && x.wants(full):
		return map[string]payload{full: {Version: x.version(), Data: data}}
	case x.wants(notice):
		return map[string]payload{notice: {Version: x.version(), Attributes: names}}
	}
	return nil
}

// changes are those of the document and of the external ID.
func (x *teller) changes() ([]schemas.AttributeChange, error) {
	changes, err := x.t.Changes(x.ev.Before, x.ev.After, x.p)
	if err != nil {
		return nil, err
	}
	id, _ := x.ev.Detail["externalId"].(map[string]any)
	if id == nil || id["client"] != x.st.Client || !x.p.Includes("externalId") {
		return changes, nil
	}
	c := schemas.AttributeChange{Path: "externalId"}
	if to, _ := id["to"].(string); to != "" {
		if c.Value, err = json.Marshal(to); err != nil {
			return nil, err
		}
	}
	return append(changes, c), nil
}

// flipped says whether a change of status is one of SCIM's active, and to what.
func (x *teller) flipped() (is, flipped bool) {
	was, before := statusIn(x.ev.Before)
	now, after := statusIn(x.ev.After)
	if x.ev.Resource.Type != "User" || !before || !after || was.Active() == now.Active() {
		return false, false
	}
	return now.Active(), true
}

func statusIn(doc json.RawMessage) (directory.Status, bool) {
	var v struct {
		Status *directory.Status `json:"status"`
	}
	if json.Unmarshal(doc, &v) != nil || v.Status == nil {
		return "", false
	}
	return *v.Status, true
}

// limited says whether the stream leaves an attribute out that no projection knows of.
func (x *teller) limited(name string) bool {
	is := func(s string) bool { return strings.EqualFold(s, name) }
	return len(x.st.Attributes) > 0 && !slices.ContainsFunc(x.st.Attributes, is) || slices.ContainsFunc(x.st.Excluded, is)
}

// render is the resource as a response would show it.
func (x *teller) render(doc []byte) json.RawMessage {
	res := x.ev.Resource
	v := schemas.Volatile{
		ID: res.ID, ExternalID: x.externalID(), Created: x.about.Created, Modified: x.ev.Time, Version: res.Version,
		Location: x.s.Issuer + x.t.Endpoint + "/" + res.ID, Active: res.Active,
	}
	if x.about.Version == res.Version { // it may have been brought in with times of its own
		v.Modified = x.about.Modified
	}
	return x.t.Render(nil, doc, v, x.p)
}
