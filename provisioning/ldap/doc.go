// Package ldap is the connector to LDAP directories: OpenLDAP foremost, 389 Directory Server and Active Directory by their dialect.
//
// It owns everything that is LDAP: connections and their encryption, escaping, paging (RFC 2696), content synchronisation (RFC 4533),
// the smallest modify, members by DN, passwords (RFC 3062). It leaves to provisioning what is read and written when, and to
// mappings what an attribute means. It follows no referral, and takes an entry for the same one only by the
// identifier that the server keeps for it (entryUUID, nsUniqueId, objectGUID); a DN is no more than an address.
package ldap
