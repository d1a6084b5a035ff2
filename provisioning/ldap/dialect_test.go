package ldap

import (
	"testing"

	goldap "github.com/go-ldap/ldap/v3"
)

// TestDialect reads root entries as the three servers show them.
func TestDialect(t *testing.T) {
	for _, test := range []struct {
		name, product, id string
		sync, password    bool
		root              map[string][]string
	}{
		{"OpenLDAP", "OpenLDAP", "entryUUID", true, true, map[string][]string{
			"objectClass":      {"top", "OpenLDAProotDSE"},
			"supportedControl": {goldap.ControlTypeSyncRequest, goldap.ControlTypePaging}, "supportedExtension": {extensionPasswordModify},
		}},
		{"389", "389 Directory Server", "nsUniqueId", false, true, map[string][]string{
			"vendorVersion":    {"389-Directory/2.3.1 B2023.054.0000"},
			"supportedControl": {goldap.ControlTypeSyncRequest, goldap.ControlTypePaging}, "supportedExtension": {extensionPasswordModify},
		}},
		{"AD", "Active Directory", "objectGUID", false, false, map[string][]string{
			"supportedCapabilities": {capabilityActiveDirectory}, "supportedControl": {goldap.ControlTypePaging, controlPermissiveModify},
		}},
		{"another", "Acme", "entryUUID", false, false, map[string][]string{"vendorName": {"Acme"}}},
	} {
		d := readDialect([]*goldap.Entry{goldap.NewEntry("", test.root)})
		if d.product != test.product || d.idAttribute != test.id || d.sync() != test.sync || d.passwordModify != test.password {
			t.Errorf("%s: %+v", test.name, d)
		}
	}
	if d := readDialect(nil); d.idAttribute != "entryUUID" || d.sync() {
		t.Errorf("a hidden root entry: %+v", d)
	}
}

// TestObjectGUID is the example of MS-DTYP, section 2.3.4.1, and its way back into a filter.
func TestObjectGUID(t *testing.T) {
	raw := [16]byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	text := formatGUID(raw)
	if text != "00112233-4455-6677-8899-aabbccddeeff" {
		t.Errorf("got %s", text)
	}
	d := &dialect{idAttribute: "objectGUID"}
	e := &goldap.Entry{Attributes: []*goldap.EntryAttribute{{Name: "objectGUID", ByteValues: [][]byte{raw[:]}}}}
	if got := d.identifier(e); got != text {
		t.Errorf("identifier: %s", got)
	}
	filter, err := d.filterID(text)
	if err != nil || filter != `(objectGUID=\33\22\11\00\55\44\77\66\88\99\aa\bb\cc\dd\ee\ff)` {
		t.Errorf("filter: %s, %v", filter, err)
	}
	for _, bad := range []string{"", "*", "00112233-4455-6677-8899-aabbccddee"} {
		if _, err := d.filterID(bad); err == nil {
			t.Errorf("%q is a GUID", bad)
		}
	}
}

// TestDisableByBit changes one flag of userAccountControl and leaves the others.
func TestDisableByBit(t *testing.T) {
	rule := disableRule{attribute: "userAccountControl", value: "2"}
	for _, test := range []struct {
		value  string
		active bool // wanted
		want   string
	}{{"512", false, "514"}, {"66050", true, "66048"}, {"514", false, ""}, {"512", true, ""}} {
		e := goldap.NewEntry("cn=x", map[string][]string{"userAccountControl": {test.value}})
		m := goldap.NewModifyRequest(e.DN, nil)
		if err := rule.apply(m, e, test.active); err != nil {
			t.Fatal(err)
		}
		switch {
		case test.want == "":
			if len(m.Changes) != 0 {
				t.Errorf("%s, active=%v: %+v", test.value, test.active, m.Changes)
			}
		case len(m.Changes) != 2 || m.Changes[0].Modification.Vals[0] != test.value || m.Changes[1].Modification.Vals[0] != test.want:
			t.Errorf("%s, active=%v: %+v", test.value, test.active, m.Changes)
		}
	}
	e := goldap.NewEntry("cn=x", map[string][]string{"userAccountControl": {"none"}})
	if err := rule.apply(goldap.NewModifyRequest(e.DN, nil), e, false); err == nil {
		t.Error("not a number, and no error")
	}
}

// TestRangedMembersAreUnknown: Active Directory shows the first 1,500 members under another name.
func TestRangedMembersAreUnknown(t *testing.T) {
	c := &Connector{settings: settings{memberAttribute: "member"}}
	d := &dialect{idAttribute: "entryUUID"}
	o, err := c.object(d, "group", goldap.NewEntry("cn=g,dc=x", map[string][]string{"entryUUID": {"1"}, "member;range=0-1499": {"cn=a,dc=x"}}), []string{"cn"})
	if err != nil || !o.MembersUnknown || len(o.Members) != 1 {
		t.Errorf("got %+v, %v", o, err)
	}
}
