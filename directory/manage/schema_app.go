package manage

import (
	"context"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/expr"
)

// appUserName is the one attribute that every profile at an app has (section 5.2 of the
// contract).
var appUserName = property{
	Title: "Username", Type: "string", Required: true, MaxLength: 100, Mutability: "READ_WRITE", Scope: "NONE",
	Master: &master{Type: schemas.MasterProfile},
}

type appSchemaInput struct {
	AppID string `path:"appId"`
}

// appSchema serves the schema of the profile at an app.
func (h *handlers) appSchema(ctx context.Context, in *appSchemaInput) (*anyOutput, error) {
	a, err := h.dir.App(ctx, in.AppID)
	if err != nil {
		return nil, apiError(err, "", in.AppID, "AppInstance")
	}
	s := h.dir.AppSchema(a)
	base := map[string]property{"userName": appUserName}
	for name, typ := range s.Kind {
		if name != "userName" {
			base[name] = showKind(name, typ)
		}
	}
	schema := profileSchema{urn: a.ID, name: a.Name, title: a.Label, path: "/meta/schemas/apps/" + a.ID + "/default"}
	properties, required := custom(s.Custom, nil, schema)
	return h.showSchema(ctx, schema, a.Label, "", definitions{base, []string{"userName"}, properties, required}), nil
}

func showKind(name string, typ expr.Type) property {
	p := property{Title: name, Type: "string", Mutability: "READ_WRITE", Scope: "NONE", Master: &master{Type: schemas.MasterProfile}}
	switch typ {
	case expr.Bool:
		p.Type = "boolean"
	case expr.Int:
		p.Type = "integer"
	case expr.Number:
		p.Type = "number"
	case expr.Strings:
		p.Type, p.Items = "array", &items{Type: "string"}
	}
	return p
}

type changeAppSchemaInput struct {
	AppID string `path:"appId"`
	Body  httpapi.RawBody
}

// changeAppSchema merges properties into the schema of the profile at an app.
func (h *handlers) changeAppSchema(ctx context.Context, in *changeAppSchemaInput) (*anyOutput, error) {
	a, err := h.dir.App(ctx, in.AppID)
	if err != nil {
		return nil, apiError(err, "", in.AppID, "AppInstance")
	}
	req, err := readSchemaRequest(in.Body)
	if err != nil {
		return nil, err
	}
	err = h.dir.ChangeSchema(ctx, change(ctx), directory.SchemaEdit{Edit: func(defs *schemas.Definitions) error {
		as, err := editAttributes(defs.Apps[a.ID], req.custom)
		if err != nil {
			return err
		}
		if defs.Apps[a.ID] = as; len(as) == 0 {
			delete(defs.Apps, a.ID)
		}
		return appKeys(as)
	}})
	if err != nil {
		return nil, schemaError(err, customAt)
	}
	return h.appSchema(ctx, &appSchemaInput{AppID: in.AppID})
}

// appKeys refuses keys that only the directory's own profiles have: it is what keeps and
// indexes them.
func appKeys(as []schemas.Attribute) error {
	for _, a := range as {
		for key, has := range map[string]bool{"unique": a.Unique(), "index": a.Unindexed, "master": a.Master != nil} {
			if has {
				return httpapi.Invalid(customAt+a.Name+"."+key, customAt+a.Name+"."+key+": only an attribute of users or groups has it")
			}
		}
	}
	return nil
}
