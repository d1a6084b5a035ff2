package httpapi

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// target is a server that counts who reaches it.
func target(t *testing.T, h http.HandlerFunc) (url, port string, hits *atomic.Int64) {
	t.Helper()
	hits = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return s.URL, port, hits
}

func get(t *testing.T, c *http.Client, url string) (status int, body string, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		return 0, "", err
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }() // read below
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// ADV-77: no spelling of a private address is reached.
func TestADV77_PrivateAddresses(t *testing.T) {
	_, port, hits := target(t, func(http.ResponseWriter, *http.Request) {})
	client := Outbound(OutboundOptions{})
	literals := []string{
		"127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200",
		"168.63.129.16", "192.0.0.192", "255.255.255.255", "224.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
		"[::ffff:169.254.169.254]", "[::ffff:0.0.0.0]", "[::127.0.0.1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]",
		"[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[ff02::1]",
	}
	for _, host := range literals {
		for _, scheme := range []string{"http", "https"} {
			if _, _, err := get(t, client, scheme+"://"+host+":"+port+"/"); !errors.Is(err, ErrRefused) {
				t.Errorf("%s://%s: got %v, want ErrRefused", scheme, host, err)
			}
		}
	}
	// Whether these resolve depends on the resolver; that none is reached does not.
	for _, host := range []string{"localhost", "localhost.", "LOCALHOST", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "①②⑦.⓪.⓪.①"} {
		if _, _, err := get(t, client, "http://"+host+":"+port+"/"); err == nil {
			t.Errorf("%s was reached", host)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("%d requests came through", n)
	}
}

func TestADV77_PlainHTTPToPublicAddress(t *testing.T) {
	if _, _, err := get(t, Outbound(OutboundOptions{}), "http://8.8.8.8/"); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v, want ErrRefused", err)
	}
}

func TestADV77_AllowList(t *testing.T) {
	url, port, hits := target(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }) // the test reads it
	client := Outbound(OutboundOptions{Allow: loopback})
	if status, body, err := get(t, client, url); err != nil || status != 200 || body != "hello" {
		t.Errorf("an allowed address: %d %q %v", status, body, err)
	}
	if _, _, err := get(t, client, "http://[::ffff:127.0.0.1]:"+port); err != nil {
		t.Errorf("the same address, mapped: %v", err)
	}
	for _, other := range []string{"http://[::1]:" + port, "http://169.254.169.254", "http://10.0.0.1", "https://192.168.0.1"} {
		if _, _, err := get(t, client, other); !errors.Is(err, ErrRefused) {
			t.Errorf("%s is not on the list: got %v, want ErrRefused", other, err)
		}
	}
	if n := hits.Load(); n != 2 {
		t.Errorf("%d requests came through, want 2", n)
	}
}

// ADV-77, DNS rebinding: the name is public when somebody looks, and loopback when
// the connection is made.
func TestADV77_DNSRebinding(t *testing.T) {
	_, port, hits := target(t, func(http.ResponseWriter, *http.Request) {})
	resolver := rebinding(t)
	first, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example")
	if err != nil || len(first) != 1 || !isPublic(first[0]) {
		t.Fatalf("the first look-up gave %v, %v; want a public address", first, err)
	}
	for _, scheme := range []string{"http", "https"} {
		if _, _, err := get(t, outbound(OutboundOptions{}, resolver), scheme+"://rebind.example:"+port); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: got %v, want ErrRefused", scheme, err)
		}
	}
	if hits.Load() != 0 {
		t.Error("a request came through")
	}
	if _, _, err := get(t, outbound(OutboundOptions{Allow: loopback}, resolver), "http://rebind.example:"+port); err != nil || hits.Load() != 1 {
		t.Errorf("the name does not lead to the server, so the test shows nothing: %v", err)
	}
}

// rebinding is a resolver that answers 8.8.8.8 once and 127.0.0.1 from then on.
func rebinding(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done }) // ends the loop
	go func() {
		defer close(done)
		asked, buf := false, make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			ip := [4]byte{127, 0, 0, 1}
			if !asked {
				ip = [4]byte{8, 8, 8, 8}
			}
			answer, isA := answerA(buf[:n], ip)
			asked = asked || isA
			_, _ = conn.WriteTo(answer, from) // the resolver asks again
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// answerA answers a query (RFC 1035, section 4.1) with ip when it asks for an A
// record, else with no record.
func answerA(query []byte, ip [4]byte) (answer []byte, isA bool) {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // the root label, type and class
	isA = binary.BigEndian.Uint16(query[end-4:]) == 1
	answer = append([]byte{}, query[:end]...)
	answer[2], answer[3] = 0x84, 0                     // a response, with authority
	copy(answer[4:12], []byte{0, 1, 0, 0, 0, 0, 0, 0}) // one question
	if isA {
		answer[7] = 1
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		answer = append(answer, ip[:]...)
	}
	return answer, isA
}

// ADV-76 and ADV-77: a redirect is handed back, never followed; no secret follows it.
func TestADV77_Redirect(t *testing.T) {
	inside, _, hits := target(t, func(http.ResponseWriter, *http.Request) {})
	outside, _, _ := target(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inside, http.StatusTemporaryRedirect)
	})
	status, _, err := get(t, Outbound(OutboundOptions{Allow: loopback}), outside)
	if err != nil || status != http.StatusTemporaryRedirect || hits.Load() != 0 {
		t.Errorf("got %d, %v, and %d requests followed", status, err, hits.Load())
	}
}

func TestADV77_ProxyFromEnvironmentIsIgnored(t *testing.T) {
	proxy, _, hits := target(t, func(http.ResponseWriter, *http.Request) {})
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy)
	}
	_, _, err := get(t, Outbound(OutboundOptions{Allow: loopback}), "http://10.0.0.1/")
	if !errors.Is(err, ErrRefused) || hits.Load() != 0 {
		t.Errorf("got %v, and the proxy saw %d requests", err, hits.Load())
	}
}

func TestOutboundBoundsBodies(t *testing.T) {
	for size, want := range map[int]error{0: nil, 99: nil, 100: nil, 101: ErrBodyTooLong, 10_000: ErrBodyTooLong} {
		url, _, _ := target(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", size)) }) // the test reads it
		_, body, err := get(t, Outbound(OutboundOptions{Allow: loopback, MaxBody: 100}), url)
		if !errors.Is(err, want) || want == nil && len(body) != size || len(body) > 100 {
			t.Errorf("%d bytes: got %d and %v, want %v", size, len(body), err, want)
		}
	}
}

// FuzzIsPublic: an IPv4 address is as public in each IPv6 form that carries it as it
// is by itself.
func FuzzIsPublic(f *testing.F) {
	for _, s := range []string{"127.0.0.1", "8.8.8.8", "169.254.169.254", "10.1.2.3"} {
		a := netip.MustParseAddr(s).As4()
		f.Add(a[0], a[1], a[2], a[3])
	}
	f.Fuzz(func(t *testing.T, a, b, c, d byte) {
		v4 := netip.AddrFrom4([4]byte{a, b, c, d})
		mapped := netip.AddrFrom16(v4.As16())
		nat64 := netip.AddrFrom16([16]byte{0, 0x64, 0xff, 0x9b, 12: a, 13: b, 14: c, 15: d})
		sixto4 := netip.AddrFrom16([16]byte{0x20, 0x02, a, b, c, d, 15: 1})
		for _, ip := range []netip.Addr{mapped, nat64, sixto4} {
			if isPublic(ip) != isPublic(v4) {
				t.Errorf("%s is public: %v; %s: %v", v4, isPublic(v4), ip, isPublic(ip))
			}
		}
		if isPublic(v4) && (v4.IsLoopback() || v4.IsPrivate() || v4.IsLinkLocalUnicast() || v4.IsUnspecified() || v4.IsMulticast()) {
			t.Errorf("%s counts as public", v4)
		}
	})
}
