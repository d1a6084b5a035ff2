package directory

import (
	"fmt"
	"maps"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/expr"
)

// AppSchema is the profile at an app: the attributes of its kind, and those that the
// organisation has added.
type AppSchema struct {
	Kind map[string]expr.Type
	// Open says that a profile at this kind of app may have any attribute.
	Open   bool
	Custom []schemas.Attribute
}

// AppSchema returns the schema of the profile at an app.
func (d *Directory) AppSchema(a *App) AppSchema {
	s := AppSchema{Open: true, Custom: d.schemaState().defs.Apps[a.ID]}
	if d.AppProfile == nil {
		return s
	}
	types, ok := d.AppProfile(a.Name)
	s.Kind, s.Open = types, !ok
	return s
}

// partnerProfile declares the profile at an app or identity provider for expressions.
func (d *Directory) partnerProfile(p Partner) expr.Object {
	s := d.AppSchema(&App{ID: p.ID, Name: p.Name})
	o := expr.Object{Attributes: map[string]expr.Type{}, Open: s.Open}
	maps.Copy(o.Attributes, s.Kind)
	for _, a := range s.Custom {
		o.Attributes[a.Name] = exprType(a.Type, a.MultiValued)
	}
	return o
}

// checkAppUses refuses to take away an attribute of the profile at an app that a mapping
// reads or fills, and to add one that the kind of the app has.
func (d *Directory) checkAppUses(tx *sqldb.Tx, was, next *schemas.Definitions) error {
	for appID, as := range next.Apps {
		a, err := d.AppTx(tx, appID)
		if err != nil {
			return err
		}
		kind := d.AppSchema(a).Kind
		for _, attr := range as {
			if _, taken := kind[attr.Name]; taken {
				return &schemas.DefinitionError{Schema: appID, Attr: attr.Name, Reason: "every profile at an app of this kind has it"}
			}
		}
	}
	for appID, as := range was.Apps {
		for _, attr := range as {
			if named(next.Apps[appID], attr.Name) != nil {
				continue
			}
			if err := checkAppUse(tx, appID, attr.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkAppUse(tx *sqldb.Tx, appID, name string) error {
	mappings, err := scanAll(scanMapping)(tx.Query(`SELECT `+mappingColumns+` FROM mappings m WHERE m.source_id = $1 OR m.target_id = $1 ORDER BY m.id`, appID))
	if err != nil {
		return err
	}
	for _, m := range mappings {
		for target, p := range m.Properties {
			if !m.Inbound() && target == name || m.Inbound() && (slices.Contains(p.Inputs, "appuser."+name) || slices.Contains(p.Inputs, "idpuser."+name)) {
				return &schemas.DefinitionError{Schema: appID, Attr: name, Reason: fmt.Sprintf("it is in use by the mapping %s", m.ID)}
			}
		}
	}
	return nil
}

// forgetAppTx forgets what was defined for an app that is deleted.
func (d *Directory) forgetAppTx(tx *sqldb.Tx, appID string) error {
	res, err := tx.Exec(`DELETE FROM schema_definitions WHERE kind = $1 AND id = $2`, defApp, appID)
	if err != nil {
		return fmt.Errorf("forget schema of app: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return d.schema.Bump(tx)
}
