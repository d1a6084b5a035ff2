package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientIP walks X-Forwarded-For from the right for as long as the hop that wrote it
// is trusted, and returns the first address that is not. A header from anybody else
// is ignored.
func clientIP(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	ip := peer.Addr().Unmap().WithZone("")
	if !isIn(ip, trusted) {
		return ip
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !isIn(ip, trusted) {
			return ip
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return ip
		}
		ip = next.Unmap().WithZone("")
	}
	return ip
}

// ipText is the address as text, which that of the connection has already.
func ipText(r *http.Request, ip netip.Addr) string {
	host, _, _ := strings.Cut(r.RemoteAddr, ":")
	if peer, err := netip.ParseAddr(host); err == nil && peer == ip {
		return host
	}
	return ip.String()
}

func isIn(ip netip.Addr, prefixes []netip.Prefix) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(ip) })
}
