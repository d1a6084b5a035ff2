package transfer

import (
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/schemas"
)

// canonicalDN is a DN in the form in which two that name the same entry are equal: names
// of attributes and values without case, no optional spaces, one way of escaping.
func canonicalDN(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return schemas.Fold(strings.TrimSpace(dn))
	}
	rdns := make([]string, len(parsed.RDNs))
	for i, rdn := range parsed.RDNs {
		pairs := make([]string, len(rdn.Attributes))
		for j, a := range rdn.Attributes {
			pairs[j] = strings.ToLower(strings.TrimSpace(a.Type)) + "=" + ldap.EscapeDN(schemas.Fold(strings.Join(strings.Fields(a.Value), " ")))
		}
		rdns[i] = strings.Join(pairs, "+")
	}
	return strings.Join(rdns, ",")
}

// dnDomain is the domain that the dc parts of a DN name (RFC 2247), empty for none.
func dnDomain(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return ""
	}
	var labels []string
	for _, rdn := range parsed.RDNs {
		for _, a := range rdn.Attributes {
			if strings.EqualFold(strings.TrimSpace(a.Type), "dc") {
				labels = append(labels, a.Value)
			}
		}
	}
	return strings.Join(labels, ".")
}
