package feed_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// apply does what a SET tells.
func (c replica) apply(r received) {
	id := r.subject("id")
	for kind, p := range r.events() {
		data, _ := p["data"].(map[string]any)
		switch kind {
		case "create:full", "put:full":
			doc := map[string]any{}
			if old := c.docs[id]; kind == "put:full" && old["members"] != nil {
				doc["members"] = old["members"]
			}
			for name, v := range data {
				if name != "meta" {
					doc[name] = v
				}
			}
			c.docs[id] = doc
		case "patch:full":
			c.patch(id, data)
		case "delete":
			delete(c.docs, id)
		}
	}
}

// patch applies operations, members by hand and all else as a PATCH.
func (c replica) patch(id string, data map[string]any) {
	doc := c.docs[id]
	if doc == nil {
		c.n.t.Errorf("a patch of %s, which is not there", id)
		return
	}
	var rest []any
	ops, _ := data["Operations"].([]any)
	for _, op := range ops {
		o, _ := op.(map[string]any)
		path, _ := o["path"].(string)
		members, _ := doc["members"].([]any)
		switch {
		case path == "members":
			came, _ := o["value"].([]any)
			doc["members"] = append(members, came...)
		case strings.HasPrefix(path, "members[value eq "):
			gone := strings.TrimSuffix(strings.TrimPrefix(path, `members[value eq "`), `"]`)
			members = slices.DeleteFunc(members, func(m any) bool { return m.(map[string]any)["value"] == gone })
			if doc["members"] = members; len(members) == 0 {
				delete(doc, "members")
			}
		case path == "active", path == "externalId":
			if doc[path] = o["value"]; o["value"] == nil {
				delete(doc, path)
			}
		default:
			rest = append(rest, op)
		}
	}
	if len(rest) > 0 {
		c.docs[id] = c.patched(doc, rest)
	}
}

func (c replica) patched(doc map[string]any, ops []any) map[string]any {
	n := c.n
	typ := "User"
	if _, ok := doc["userName"]; !ok {
		typ = "Group"
	}
	beside := map[string]any{}
	for _, name := range []string{"members", "active", "externalId", "id"} {
		if v, ok := doc[name]; ok {
			beside[name] = v
			delete(doc, name)
		}
	}
	body, err := json.Marshal(doc)
	n.check(err)
	was, err := n.typ(typ).Parse(body, schemas.Generic)
	n.check(err)
	request, err := json.Marshal(map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops})
	n.check(err)
	parsed, err := n.typ(typ).ParsePatch(request, schemas.Generic)
	n.check(err)
	next, err := n.typ(typ).Patch(was, parsed, schemas.Generic)
	n.check(err)
	var out map[string]any
	n.check(json.Unmarshal(next.Doc(), &out))
	for name, v := range beside {
		out[name] = v
	}
	return out
}

// directory is everything that the directory holds but the built-in groups.
func (n *node) directory() map[string]map[string]any {
	ctx := context.Background()
	all := map[string]map[string]any{}
	users, err := n.dir.List(ctx, "User", directory.ListQuery{Count: 1000, Client: writer.Client})
	n.check(err)
	for _, u := range users.Users {
		active := u.Status.Active()
		all[u.ID] = n.shown("User", u.Doc, schemas.Volatile{ID: u.ID, ExternalID: u.ExternalID, Active: &active})
	}
	groups, err := n.dir.List(ctx, "Group", directory.ListQuery{Count: 1000, Client: writer.Client})
	n.check(err)
	for _, g := range groups.Groups {
		if g.Type == directory.BuiltInGroup {
			continue
		}
		doc := n.shown("Group", g.Doc, schemas.Volatile{ID: g.ID, ExternalID: g.ExternalID})
		members, _, err := n.dir.Members(ctx, g.ID, "", 1000)
		n.check(err)
		for _, m := range members {
			list, _ := doc["members"].([]any)
			doc["members"] = append(list, map[string]any{"value": m.ID, "type": "User", "$ref": issuer + "/Users/" + m.ID})
		}
		all[g.ID] = doc
	}
	return all
}

func (n *node) shown(typ string, doc []byte, v schemas.Volatile) map[string]any {
	var out map[string]any
	n.check(json.Unmarshal(n.typ(typ).Render(nil, doc, v, nil), &out))
	delete(out, "meta")
	return out
}

// sortMembers puts the members of groups, which are a set, in one order.
func (c replica) sortMembers() {
	for _, doc := range c.docs {
		members, _ := doc["members"].([]any)
		slices.SortFunc(members, func(a, b any) int {
			return strings.Compare(a.(map[string]any)["value"].(string), b.(map[string]any)["value"].(string))
		})
	}
}
