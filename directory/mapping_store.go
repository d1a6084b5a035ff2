package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas/expr"
)

// Push statuses of a mapped attribute.
const (
	Push     = "PUSH"      // on create and on update
	DontPush = "DONT_PUSH" // on create only
)

// Property is the mapping of one target attribute.
type Property struct {
	Expression string `json:"expression"`
	PushStatus string `json:"pushStatus"`
	// Inputs are what the expression reads, "user.department", recorded when it was saved.
	Inputs []string `json:"inputs,omitempty"`
}

// The types of a Partner.
const (
	PartnerUser    = "user"    // our own profile
	PartnerAppUser = "appuser" // an app's or an identity provider's
)

// UserPartner is the ID of our own end of every mapping.
const UserPartner = "default"

// Partner is one end of a mapping.
type Partner struct {
	ID   string
	Name string
	Type string // PartnerUser or PartnerAppUser
}

// Mapping fills the profile at one end from the other. One pair exists for each app
// and identity provider; our own end is UserPartner.
type Mapping struct {
	ID         string
	Source     Partner
	Target     Partner
	Properties map[string]Property // by target attribute
	Modified   time.Time
	Version    int64
}

// Inbound reports whether the mapping fills our profile.
func (m *Mapping) Inbound() bool { return m.Target.ID == UserPartner }

// partner is the end that is not ours.
func (m *Mapping) partner() Partner {
	if m.Inbound() {
		return m.Source
	}
	return m.Target
}

// MappingDefaults are the properties that the pair of a new partner begins with.
type MappingDefaults struct {
	In  map[string]Property // the partner's profile to ours
	Out map[string]Property // ours to the partner's
}

// CreateMappingsTx makes the pair of a new app or identity provider.
func (d *Directory) CreateMappingsTx(tx *sqldb.Tx, p Partner, defaults MappingDefaults) error {
	own := Partner{ID: UserPartner, Name: "user", Type: PartnerUser}
	for _, m := range []*Mapping{
		{Source: p, Target: own, Properties: defaults.In},
		{Source: own, Target: p, Properties: defaults.Out},
	} {
		m.ID, m.Modified, m.Version = id.NewAt(id.Mapping, d.Now()), d.Now(), 1
		if err := d.compileMapping(m); err != nil {
			return err
		}
		if err := insertMapping(tx, m); err != nil {
			return err
		}
	}
	return nil
}

// DeleteMappingsTx removes the pair of an app or identity provider that goes.
func (d *Directory) DeleteMappingsTx(tx *sqldb.Tx, partnerID string) error {
	for _, statement := range []string{
		`DELETE FROM mapping_uses WHERE partner_id = $1`,
		`DELETE FROM mappings WHERE source_id = $1 OR target_id = $1`,
	} {
		if _, err := tx.Exec(statement, partnerID); err != nil {
			return fmt.Errorf("delete mappings of %s: %w", partnerID, err)
		}
	}
	return nil
}

// compileMapping checks every property and records what its expression reads.
func (d *Directory) compileMapping(m *Mapping) error {
	env := d.MappingEnv(m)
	env.ResultNull = true
	for name, p := range m.Properties {
		if p.PushStatus == "" {
			p.PushStatus = Push
		}
		if p.PushStatus != Push && p.PushStatus != DontPush {
			return &InvalidError{Field: name, Reason: "pushStatus must be PUSH or DONT_PUSH"}
		}
		var err error
		if env.Result, err = d.targetType(m, name); err != nil {
			return err
		}
		prog, err := expr.Compile(p.Expression, env)
		if err != nil {
			return &InvalidError{Field: name, Reason: err.Error()}
		}
		p.Inputs = prog.Inputs()
		m.Properties[name] = p
	}
	return nil
}

func insertMapping(tx *sqldb.Tx, m *Mapping) error {
	properties, err := json.Marshal(m.Properties)
	if err != nil {
		return fmt.Errorf("encode mapping: %w", err)
	}
	_, err = tx.Exec(`INSERT INTO mappings (id, source_id, source_name, source_type, target_id, target_name, target_type, properties, modified, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)`,
		m.ID, m.Source.ID, m.Source.Name, m.Source.Type, m.Target.ID, m.Target.Name, m.Target.Type, string(properties), m.Modified.UnixMicro())
	if err != nil {
		return fmt.Errorf("insert mapping: %w", err)
	}
	return storeUses(tx, m)
}

// storeUses records in rows what a mapping does with attributes of our profile, so
// that one statement finds the apps that a change concerns.
func storeUses(tx *sqldb.Tx, m *Mapping) error {
	used := "reads"
	if m.Inbound() {
		used = "writes"
	}
	if _, err := tx.Exec(`DELETE FROM mapping_uses WHERE partner_id = $1 AND used = $2`, m.partner().ID, used); err != nil {
		return fmt.Errorf("replace uses of mapping: %w", err)
	}
	for _, attr := range m.uses() {
		if _, err := tx.Exec(`INSERT INTO mapping_uses (partner_id, used, attr) VALUES ($1, $2, $3)`, m.partner().ID, used, attr); err != nil {
			return fmt.Errorf("store use of mapping: %w", err)
		}
	}
	return nil
}

// uses lists the attributes of our profile that the mapping writes on every change,
// or reads. "*" stands for the whole profile.
func (m *Mapping) uses() []string {
	seen := map[string]bool{}
	for name, p := range m.Properties {
		if m.Inbound() {
			seen[name] = p.PushStatus == Push
			continue
		}
		for _, in := range p.Inputs {
			attr, ok := strings.CutPrefix(in, "user.")
			if in == "user" {
				attr, ok = "*", true
			}
			if ok && p.PushStatus == Push {
				seen[attr] = true
			}
		}
	}
	maps.DeleteFunc(seen, func(_ string, used bool) bool { return !used })
	return slices.Sorted(maps.Keys(seen))
}

const mappingColumns = `m.id, m.source_id, m.source_name, m.source_type, m.target_id, m.target_name, m.target_type, m.properties, m.modified, m.version`

func scanMapping(row scanner) (*Mapping, error) {
	var m Mapping
	var properties string
	var modified int64
	err := row.Scan(&m.ID, &m.Source.ID, &m.Source.Name, &m.Source.Type, &m.Target.ID, &m.Target.Name, &m.Target.Type, &properties, &modified, &m.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read mapping: %w", err)
	}
	if err := json.Unmarshal([]byte(properties), &m.Properties); err != nil {
		return nil, fmt.Errorf("properties of %s: %w", m.ID, err)
	}
	m.Modified = micros(modified)
	return &m, nil
}

// Mapping returns a mapping by ID, or ErrNotFound.
func (d *Directory) Mapping(ctx context.Context, id string) (*Mapping, error) {
	return scanMapping(d.DB.QueryRow(ctx, `SELECT `+mappingColumns+` FROM mappings m WHERE m.id = $1`, id))
}

// MappingFor returns the mapping from a source to a target, or ErrNotFound. Our own
// end is UserPartner.
func (d *Directory) MappingFor(ctx context.Context, sourceID, targetID string) (*Mapping, error) {
	return scanMapping(d.DB.QueryRow(ctx, `SELECT `+mappingColumns+` FROM mappings m WHERE m.source_id = $1 AND m.target_id = $2`, sourceID, targetID))
}

// Mappings lists at most limit mappings whose ID follows after; an empty source or
// target is any.
func (d *Directory) Mappings(ctx context.Context, sourceID, targetID, after string, limit int) ([]*Mapping, error) {
	return scanAll(scanMapping)(d.DB.Query(ctx, `SELECT `+mappingColumns+` FROM mappings m
		WHERE ($1 = '' OR m.source_id = $1) AND ($2 = '' OR m.target_id = $2) AND m.id > $3 ORDER BY m.id LIMIT $4`, sourceID, targetID, after, limit))
}

// UpdateMapping merges properties into a mapping; nil removes one. Every user of the
// app is looked at again.
func (d *Directory) UpdateMapping(ctx context.Context, c Change, mappingID string, properties map[string]*Property) (m *Mapping, err error) {
	err = d.DB.Write(ctx, func(tx *sqldb.Tx) error {
		if err := d.keepSchema(tx); err != nil {
			return err
		}
		m, err = scanMapping(tx.QueryRow(`SELECT `+mappingColumns+` FROM mappings m WHERE m.id = $1`+tx.ForUpdate(), mappingID))
		if err != nil {
			return err
		}
		if m.Properties == nil {
			m.Properties = map[string]Property{}
		}
		for name, p := range properties {
			if p == nil {
				delete(m.Properties, name)
			} else {
				m.Properties[name] = *p
			}
		}
		if err := d.compileMapping(m); err != nil {
			return err
		}
		m.Version, m.Modified = m.Version+1, d.Now()
		return d.updateMapping(tx, c, m)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (d *Directory) updateMapping(tx *sqldb.Tx, c Change, m *Mapping) error {
	text, err := json.Marshal(m.Properties)
	if err != nil {
		return fmt.Errorf("encode mapping: %w", err)
	}
	if _, err := tx.Exec(`UPDATE mappings SET properties = $2, modified = $3, version = $4 WHERE id = $1`, m.ID, string(text), m.Modified.UnixMicro(), m.Version); err != nil {
		return fmt.Errorf("update mapping: %w", err)
	}
	if err := storeUses(tx, m); err != nil {
		return err
	}
	ev := events.Event{Type: "application.mapping.update", Targets: []events.Target{{ID: m.ID, Type: "Mapping"}, {ID: m.partner().ID, Type: "AppInstance", Name: m.partner().Name}}}
	if _, err := d.audit(tx, c, ev); err != nil {
		return err
	}
	a, err := d.AppTx(tx, m.partner().ID)
	if errors.Is(err, ErrNotFound) || err == nil && m.Inbound() {
		return nil // an identity provider, or nothing to push
	}
	if err != nil {
		return err
	}
	return d.markAppTx(tx, a)
}
