package directory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// checkUses refuses to take away a custom attribute that something still reads or writes,
// and a source of an attribute that is no app.
func (d *Directory) checkUses(tx *sqldb.Tx, was, next *schemas.Definitions) error {
	for _, name := range removedNames(was.Schema(scim.OrgUser), next.Schema(scim.OrgUser)) {
		users, err := d.usersOfAttribute(tx, name)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return &schemas.DefinitionError{Schema: scim.OrgUser, Attr: name, Reason: "it is in use by " + strings.Join(users, ", ")}
		}
	}
	for _, s := range next.Schemas {
		for _, a := range s.Attributes {
			if err := checkPriority(tx, s.ID, a); err != nil {
				return err
			}
		}
	}
	return d.checkAppUses(tx, was, next)
}

func removedNames(was, is *schemas.Schema) (names []string) {
	if was == nil {
		return nil
	}
	for _, a := range was.Attributes {
		if is == nil || is.Attribute(a.Name) == nil {
			names = append(names, a.Name)
		}
	}
	return names
}

// maxUses bounds what is named of those who use an attribute.
const maxUses = 5

// usersOfAttribute names the group rules and mappings that use an attribute of users.
func (d *Directory) usersOfAttribute(tx *sqldb.Tx, name string) ([]string, error) {
	rules, err := column[string](tx.Query(`SELECT r.name FROM rule_inputs i JOIN group_rules r ON r.id = i.rule_id
		WHERE i.attr = $1 AND r.status <> 'DELETED' ORDER BY r.id LIMIT $2`, name, maxUses))
	if err != nil {
		return nil, err
	}
	mappings, err := scanAll(scanMapping)(tx.Query(`SELECT ` + mappingColumns + ` FROM mappings m ORDER BY m.id`))
	if err != nil {
		return nil, err
	}
	var users []string
	for _, r := range rules {
		users = append(users, fmt.Sprintf("the group rule %q", r))
	}
	for _, m := range mappings {
		if m.names(name) {
			users = append(users, fmt.Sprintf("the mapping %s (%s)", m.ID, m.partner().Name))
		}
	}
	for _, uses := range d.AttributeUses {
		more, err := uses(tx, name)
		if err != nil {
			return nil, err
		}
		users = append(users, more...)
	}
	return users[:min(len(users), maxUses)], nil
}

// names says whether a mapping fills an attribute of our profile, or reads it.
func (m *Mapping) names(attribute string) bool {
	for target, p := range m.Properties {
		if m.Inbound() && target == attribute || !m.Inbound() && slices.Contains(p.Inputs, "user."+attribute) {
			return true
		}
	}
	return false
}

// checkPriority refuses sources that are no apps.
func checkPriority(tx *sqldb.Tx, urn string, a schemas.Attribute) error {
	if a.Master == nil {
		return nil
	}
	for i, id := range a.Master.Priority {
		var n int
		if err := tx.QueryRow(`SELECT count(*) FROM apps WHERE id = $1`, id).Scan(&n); err != nil {
			return fmt.Errorf("look for app: %w", err)
		}
		if n == 0 || slices.Index(a.Master.Priority, id) < i {
			return &schemas.DefinitionError{Schema: urn, Attr: a.Name, Key: "master", Reason: fmt.Sprintf("%q is not the ID of an app, or is there twice", id)}
		}
	}
	return nil
}
