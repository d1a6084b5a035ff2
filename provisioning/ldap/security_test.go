package ldap

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/testserver"
	"github.com/provost-id/provost/provisioning"
)

// TestADV69_Injection: a name is a name, whatever characters it has.
func TestADV69_Injection(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{})
	c := open(t, config(s), Options{})
	for _, login := range []string{"*", "*)(uid=*", "ada.lovelace)(|(uid=*", `ada.lovelace\00`, "ada.lovelace\x00", ")(|", "a*", `\2a`, "uid=*,ou=people"} {
		if o, err := c.Get(t.Context(), provisioning.Ref{Type: provisioning.TypeUser, Name: login}); !errors.Is(err, provisioning.ErrNotFound) {
			t.Errorf("get %q: %+v, %v", login, o.Ref, err)
		}
		if ref, err := c.Authenticate(t.Context(), login, "ldap-ada.lovelace"); !errors.Is(err, provisioning.ErrDenied) {
			t.Errorf("sign in %q: %+v, %v", login, ref, err)
		}
		if o, err := c.Get(t.Context(), provisioning.Ref{Type: provisioning.TypeUser, ID: login}); !errors.Is(err, provisioning.ErrNotFound) {
			t.Errorf("get by ID %q: %+v, %v", login, o.Ref, err)
		}
	}
}

// TestADV70_EmptyPassword: no bind without a password is ever sent, though the server would answer it with success.
func TestADV70_EmptyPassword(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{Global: "allow bind_anon_cred bind_anon_dn"})
	c := open(t, config(s), Options{})
	if ref, err := c.Authenticate(t.Context(), "ada.lovelace", "ldap-ada.lovelace"); err != nil || ref.ID == "" {
		t.Fatalf("the good password: %+v, %v", ref, err)
	}
	for _, password := range []string{"", "\x00", "ldap-ada.lovelace\x00", "\x00ldap-ada.lovelace", "wrong"} {
		if ref, err := c.Authenticate(t.Context(), "ada.lovelace", password); !errors.Is(err, provisioning.ErrDenied) || ref.ID != "" {
			t.Errorf("password %q: %+v, %v", password, ref, err)
		}
	}
	off := false
	o := lookupUser(t, c, "ada.lovelace")
	if _, err := c.Update(t.Context(), o.Ref, provisioning.Delta{Active: &off}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Authenticate(t.Context(), "ada.lovelace", "ldap-ada.lovelace"); !errors.Is(err, provisioning.ErrDenied) {
		t.Errorf("deactivated: %v", err)
	}
}

func TestADV71_TLS(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{TLS: true, Database: "security tls=1"})
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	other := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree})
	for _, test := range []struct {
		name string
		url  string
		ca   string
		want error
	}{
		{"trusted", s.URL, string(pem), nil},
		{"by name", strings.Replace(s.URL, "127.0.0.1", "localhost", 1), string(pem), nil},
		{"unknown authority", s.URL, "", provisioning.ErrTransient},
		{"no TLS at the server", other.URL, string(pem), provisioning.ErrTransient},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := config(s)
			cfg["url"], cfg["startTls"], cfg["caCertificate"] = test.url, true, test.ca
			_, err := open(t, cfg, Options{}).Describe(t.Context())
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	_, err = open(t, config(s), Options{}).Describe(t.Context())
	if !errors.Is(err, provisioning.ErrDenied) {
		t.Errorf("plain, to a server that wants TLS: %v, want ErrDenied", err)
	}
}

// fake is a server (a double) that says what it is told to say to every connection.
func fake(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			talk(c)
			_ = c.Close() // the client may have closed it
		}
	}()
	t.Cleanup(func() {
		_ = l.Close() // it ends the loop
		<-done
	})
	return "ldap://" + l.Addr().String()
}

// startTLSYes is an ExtendedResponse with success to message 1.
var startTLSYes = []byte{0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00}

// bindYes is a BindResponse with success to a message.
func bindYes(id byte) []byte {
	return []byte{0x30, 0x0c, 0x02, 0x01, id, 0x61, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00}
}

// TestADV71_StripTLS: a man in the middle who says yes to StartTLS and goes on in clear gets no password.
func TestADV71_StripTLS(t *testing.T) {
	got := make(chan string, 1)
	url := fake(t, func(c net.Conn) {
		_ = c.SetDeadline(time.Now().Add(5 * time.Second)) // a bound for the test
		b := make([]byte, 4096)
		_, _ = c.Read(b)                                   // the request for TLS
		_, _ = c.Write(append(startTLSYes, bindYes(2)...)) // and an answer in clear to what has not been asked
		said, _ := io.ReadAll(io.LimitReader(c, 1<<16))    // what the client goes on to say
		got <- string(said)
	})
	c := open(t, provisioning.Config{
		"url": url, "startTls": true, "bindDn": "cn=admin", "bindPassword": "very-secret", "userBaseDn": "dc=example",
	}, Options{Timeout: 2 * time.Second})
	if _, err := c.Describe(t.Context()); !errors.Is(err, provisioning.ErrTransient) {
		t.Errorf("got %v", err)
	}
	if said := <-got; strings.Contains(said, "very-secret") || !strings.HasPrefix(said, "\x16\x03") {
		t.Errorf("no TLS handshake, but %q", said)
	}
}

// TestADV72_HostileServer: what a server sends is bounded in size and silence.
func TestADV72_HostileServer(t *testing.T) {
	for _, test := range []struct {
		name  string
		after func(net.Conn)
		want  string // in the error
	}{
		{"2 GB message", func(c net.Conn) { fmt.Fprintf(c, "\x30\x84\x7f\xff\xff\xff\x02\x01\x02") }, errMessage.Error()},
		{"indefinite length", func(c net.Conn) { fmt.Fprintf(c, "\x30\x80\x02\x01\x02") }, errMessage.Error()},
		{"no LDAP", func(c net.Conn) { fmt.Fprintf(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, errMessage.Error()},
		{"silence", func(net.Conn) {}, "timed out"},
		{"drip", drip, "timed out"},
		{"hang up", func(c net.Conn) { _ = c.Close() }, "unable to read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := fake(t, func(c net.Conn) {
				_ = c.SetDeadline(time.Now().Add(5 * time.Second)) // a bound for the test
				b := make([]byte, 4096)
				_, _ = c.Read(b) // the bind
				_, _ = c.Write(bindYes(1))
				_, _ = c.Read(b) // the search of the root entry
				test.after(c)
				_, _ = io.Copy(io.Discard, c) // until the client hangs up
			})
			c := open(t, provisioning.Config{"url": url, "bindDn": "cn=a", "bindPassword": "b", "userBaseDn": "dc=example"}, Options{Timeout: time.Second})
			_, err := c.Describe(t.Context())
			if !errors.Is(err, provisioning.ErrTransient) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want ErrTransient and %q", err, test.want)
			}
		})
	}
}

// drip sends an answer byte by byte, more slowly than anybody waits.
func drip(c net.Conn) {
	for _, b := range bindYes(2) {
		time.Sleep(200 * time.Millisecond)
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
	}
}

// TestReadFromASilentServer: a read does not wait for ever, and does not end well.
func TestReadFromASilentServer(t *testing.T) {
	s := testserver.Slapd(t, testserver.SlapdOptions{LDIF: tree + persons(700)})
	proxy := testserver.NewProxy(t, fmt.Sprintf("127.0.0.1:%d", s.Port))
	cfg := config(s)
	cfg["url"] = "ldap://" + proxy.Addr
	c := open(t, cfg, Options{Timeout: time.Second})
	end, err := c.Read(t.Context(), provisioning.ReadRequest{Type: provisioning.TypeUser, PageSize: 100}, func(provisioning.Batch) error {
		proxy.SilenceReplies(true)
		return nil
	})
	if !errors.Is(err, errStalled) || !errors.Is(err, provisioning.ErrTransient) || end.Complete {
		t.Errorf("got %+v, %v, want ErrTransient", end, err)
	}
}
