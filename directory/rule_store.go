package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

const ruleColumns = `r.id, r.name, r.status, r.expression, r.created, r.modified, r.version,
	r.pass, r.pass_done, r.pass_total, r.pass_started`

func scanRule(row scanner) (*GroupRule, error) {
	var r GroupRule
	var p RulePass
	var created, modified, started int64
	err := row.Scan(&r.ID, &r.Name, &r.Status, &r.Condition, &created, &modified, &r.Version, &p.Operation, &p.Done, &p.Total, &started)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read group rule: %w", err)
	}
	r.Created, r.Modified, p.Started = micros(created), micros(modified), micros(started)
	if p.Operation != "" {
		r.Pass = &p
	}
	return &r, nil
}

// reader is a query inside a transaction, or outside any.
type reader func(query string, args ...any) (*sql.Rows, error)

func (d *Directory) reader(ctx context.Context) reader {
	return func(query string, args ...any) (*sql.Rows, error) { return d.DB.Query(ctx, query, args...) }
}

// Rule returns a group rule by ID, or ErrNotFound.
func (d *Directory) Rule(ctx context.Context, id string) (*GroupRule, error) {
	all, err := loadRules(d.reader(ctx), `r.id = $1 AND r.status <> 'DELETED'`, id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNotFound
	}
	return all[0], nil
}

// Rules lists at most limit rules, oldest first, whose ID follows after and whose name
// contains search.
func (d *Directory) Rules(ctx context.Context, search, after string, limit int) ([]*GroupRule, error) {
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(schemas.Fold(search)) + "%"
	return loadRules(d.reader(ctx), `r.status <> 'DELETED' AND r.id > $1 AND r.name_folded LIKE $2 ESCAPE '\' ORDER BY r.id LIMIT $3`, after, like, limit)
}

// loadRules reads rules with all that belongs to them.
func loadRules(query reader, where string, args ...any) ([]*GroupRule, error) {
	rules, err := scanAll(scanRule)(query(`SELECT `+ruleColumns+` FROM group_rules r WHERE `+where, args...))
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	byID, ids := map[string]*GroupRule{}, make([]any, len(rules))
	for i, r := range rules {
		r.Inputs, r.Groups, r.Exclude = []string{}, []string{}, []string{}
		byID[r.ID], ids[i] = r, r.ID
	}
	in := ` WHERE rule_id IN (` + list(1, len(ids)) + `) ORDER BY `
	for _, part := range []struct {
		query string
		add   func(r *GroupRule, v string)
	}{
		{`SELECT rule_id, attr FROM rule_inputs` + in + `attr`, func(r *GroupRule, v string) { r.Inputs = append(r.Inputs, v) }},
		{`SELECT rule_id, group_id FROM rule_targets` + in + `group_rid`, func(r *GroupRule, v string) { r.Groups = append(r.Groups, v) }},
		{`SELECT rule_id, user_id FROM rule_exclusions` + in + `user_rid`, func(r *GroupRule, v string) { r.Exclude = append(r.Exclude, v) }},
	} {
		pairs, err := scanAll(scanPair)(query(part.query, ids...))
		if err != nil {
			return nil, err
		}
		for _, p := range pairs {
			part.add(byID[p[0]], p[1])
		}
	}
	return rules, nil
}

func scanPair(row scanner) (*[2]string, error) {
	var p [2]string
	if err := row.Scan(&p[0], &p[1]); err != nil {
		return nil, fmt.Errorf("read group rule: %w", err)
	}
	return &p, nil
}

// lockRuleTx reads a rule for a change.
func lockRuleTx(tx *sqldb.Tx, id string) (*GroupRule, error) {
	if _, err := column[string](tx.Query(`SELECT id FROM group_rules WHERE id = $1`+tx.ForUpdate(), id)); err != nil {
		return nil, fmt.Errorf("lock group rule: %w", err)
	}
	all, err := loadRules(tx.Query, `r.id = $1 AND r.status <> 'DELETED'`, id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNotFound
	}
	return all[0], nil
}

// target is a group that a rule makes people members of.
type target struct {
	rid int64
	id  string
}

// insertRule writes a new rule, whose targets and exclusions were found.
func insertRule(tx *sqldb.Tx, r *GroupRule, targets []target, excluded []person) error {
	_, err := tx.Exec(`INSERT INTO group_rules (id, name, name_folded, status, expression, created, modified, version)
		VALUES ($1, $2, $3, $4, $5, $6, $6, 1)`, r.ID, r.Name, schemas.Fold(r.Name), string(r.Status), r.Condition, r.Created.UnixMicro())
	if err != nil {
		return fmt.Errorf("insert group rule: %w", err)
	}
	for _, t := range targets {
		if _, err := tx.Exec(`INSERT INTO rule_targets (rule_id, group_rid, group_id) VALUES ($1, $2, $3)`, r.ID, t.rid, t.id); err != nil {
			return fmt.Errorf("insert target of rule: %w", err)
		}
	}
	return insertRuleParts(tx, r, excluded)
}

// updateRule writes what PUT may change.
func updateRule(tx *sqldb.Tx, r *GroupRule, excluded []person) error {
	_, err := tx.Exec(`UPDATE group_rules SET name = $2, name_folded = $3, expression = $4, modified = $5, version = $6 WHERE id = $1`,
		r.ID, r.Name, schemas.Fold(r.Name), r.Condition, r.Modified.UnixMicro(), r.Version)
	if err != nil {
		return fmt.Errorf("update group rule: %w", err)
	}
	for _, table := range []string{"rule_inputs", "rule_exclusions"} {
		if _, err := tx.Exec(`DELETE FROM `+table+` WHERE rule_id = $1`, r.ID); err != nil {
			return fmt.Errorf("replace %s: %w", table, err)
		}
	}
	return insertRuleParts(tx, r, excluded)
}

func insertRuleParts(tx *sqldb.Tx, r *GroupRule, excluded []person) error {
	for _, attr := range r.Inputs {
		if _, err := tx.Exec(`INSERT INTO rule_inputs (attr, rule_id) VALUES ($1, $2)`, attr, r.ID); err != nil {
			return fmt.Errorf("insert input of rule: %w", err)
		}
	}
	for _, p := range excluded {
		if _, err := tx.Exec(`INSERT INTO rule_exclusions (user_rid, rule_id, user_id) VALUES ($1, $2, $3)`, p.rid, r.ID, p.id); err != nil {
			return fmt.Errorf("insert exclusion of rule: %w", err)
		}
	}
	return nil
}

// deleteRuleRows removes what is left of a rule when its last pass is over.
func deleteRuleRows(tx *sqldb.Tx, id string) error {
	for _, table := range []string{"rule_inputs", "rule_targets", "rule_exclusions", "rule_grants"} {
		if _, err := tx.Exec(`DELETE FROM `+table+` WHERE rule_id = $1`, id); err != nil {
			return fmt.Errorf("delete from %s: %w", table, err)
		}
	}
	if _, err := tx.Exec(`DELETE FROM group_rules WHERE id = $1`, id); err != nil {
		return fmt.Errorf("delete group rule: %w", err)
	}
	return nil
}
