package ldap

import (
	"context"
	"slices"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"
)

// Identifiers of what a server says it can do.
const (
	capabilityActiveDirectory = "1.2.840.113556.1.4.800"
	controlPermissiveModify   = "1.2.840.113556.1.4.1413"
	extensionPasswordModify   = "1.3.6.1.4.1.4203.1.11.1"
)

// openLDAP is the product whose ways are known best.
const openLDAP = "OpenLDAP"

// dialect is what one server does in its own way.
type dialect struct {
	product        string
	idAttribute    string // what the server identifies an entry by, for ever
	syncrepl       bool   // RFC 4533
	paging         bool   // RFC 2696
	permissive     bool   // adding a value that is there, and removing one that is not, is no error
	passwordModify bool   // RFC 3062
}

// sync needs the identifiers of syncrepl, which are entryUUIDs, to be those of links.
func (d *dialect) sync() bool { return d.syncrepl && d.idAttribute == "entryUUID" }

// ask reads the root entry once, and again until it has succeeded.
func (c *Connector) ask(ctx context.Context) (*dialect, error) {
	c.mu.Lock()
	d := c.dialect
	c.mu.Unlock()
	if d != nil {
		return d, nil
	}
	err := c.pool.do(ctx, func(conn *goldap.Conn) error {
		r, err := conn.Search(goldap.NewSearchRequest("", goldap.ScopeBaseObject, goldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)",
			[]string{"objectClass", "vendorName", "vendorVersion", "supportedControl", "supportedExtension", "supportedCapabilities"}, nil))
		if err != nil {
			return fail("read the root entry", err)
		}
		d = readDialect(r.Entries)
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialect = d
	return d, nil
}

// readDialect makes sense of a root entry; a server that hides it gets the plain LDAP of the RFCs.
func readDialect(entries []*goldap.Entry) *dialect {
	d := &dialect{product: "LDAP", idAttribute: "entryUUID", paging: true}
	if len(entries) == 0 {
		return d
	}
	e := entries[0]
	has := func(attribute, value string) bool {
		return slices.Contains(e.GetEqualFoldAttributeValues(attribute), value)
	}
	d.syncrepl = has("supportedControl", goldap.ControlTypeSyncRequest)
	d.paging = has("supportedControl", goldap.ControlTypePaging)
	d.permissive = has("supportedControl", controlPermissiveModify)
	d.passwordModify = has("supportedExtension", extensionPasswordModify)
	vendor := e.GetEqualFoldAttributeValue("vendorName") + " " + e.GetEqualFoldAttributeValue("vendorVersion")
	switch {
	case has("supportedCapabilities", capabilityActiveDirectory):
		d.product, d.idAttribute, d.passwordModify = "Active Directory", "objectGUID", false
	case strings.Contains(vendor, "389"):
		d.product, d.idAttribute = "389 Directory Server", "nsUniqueId"
	case has("objectClass", "OpenLDAProotDSE"):
		d.product = openLDAP
	case strings.TrimSpace(vendor) != "":
		d.product = strings.TrimSpace(vendor)
	}
	return d
}
