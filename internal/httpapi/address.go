package httpapi

import "net/netip"

// special are the blocks that are not the public internet although netip counts them
// as global unicast (IANA special-purpose registries, RFC 6890), and addresses that
// cloud hosts answer on.
var special = prefixes(
	"0.0.0.0/8",        // this network
	"100.64.0.0/10",    // shared address space, RFC 6598; metadata of Alibaba
	"168.63.129.16/32", // Azure's host
	"192.0.0.0/24",     // protocol assignments; metadata of Oracle
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relay, deprecated
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"240.0.0.0/4",      // reserved, and broadcast
	"::/96",            // IPv4-compatible, deprecated
	"64:ff9b:1::/48",   // local translation, RFC 8215
	"100::/64",         // discard
	"2001::/23",        // protocol assignments, Teredo among them
	"2001:db8::/32",    // documentation
	"3fff::/20",        // documentation
	"5f00::/16",        // segment routing
	"fec0::/10",        // site-local, deprecated
)

// Blocks whose addresses carry an IPv4 address, and where it begins.
var (
	translated = netip.MustParsePrefix("64:ff9b::/96") // NAT64, RFC 6052
	sixToFour  = netip.MustParsePrefix("2002::/16")    // RFC 3056
)

func prefixes(list ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

// isPublic reports whether an address is one of the public internet. An IPv4 address
// in the clothes of an IPv6 one is judged as what it is.
func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap()
	b := ip.As16()
	switch {
	case ip.Is4():
	case translated.Contains(ip):
		return isPublic(netip.AddrFrom4([4]byte(b[12:16])))
	case sixToFour.Contains(ip):
		return isPublic(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !isIn(ip, special)
}
