package testserver

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Names in the directory that Slapd serves, as in testdata/ldap.
const (
	BaseDN        = "dc=example,dc=com"
	PeopleDN      = "ou=people," + BaseDN
	GroupsDN      = "ou=groups," + BaseDN
	AdminDN       = "cn=admin," + BaseDN
	AdminPassword = "secret"
)

// SlapdOptions say what a slapd holds and how it is configured.
type SlapdOptions struct {
	// LDIF is what it holds at the start; "" means the organisation of testdata/ldap.
	LDIF string
	// TLS gives it a certificate for 127.0.0.1 and localhost, so that StartTLS works; its authority is LDAP.CA.
	TLS bool
	// Global and Database are further lines of slapd.conf for these two sections: "sizelimit 10".
	Global, Database string
}

// LDAP is a running slapd.
type LDAP struct {
	URL  string // ldap://127.0.0.1:PORT
	Port int
	Dir  string // its folder
	CA   string // PEM file of the authority of its certificate; "" without TLS
	proc *process
}

// Slapd starts a slapd for a test, with the overlays syncprov, memberof, refint and ppolicy. An account whose
// pwdAccountLockedTime is 000001010000Z cannot bind. Writes are not made durable.
func Slapd(t testing.TB, o SlapdOptions) *LDAP {
	t.Helper()
	s, err := StartSlapd(t.Context(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// StartSlapd starts a slapd in an empty folder; the caller stops it.
func StartSlapd(ctx context.Context, dir string, o SlapdOptions) (*LDAP, error) {
	slapd, err := lookSlapd("slapd")
	if err != nil {
		return nil, err
	}
	s := &LDAP{Dir: dir}
	if err := s.prepare(ctx, o); err != nil {
		return nil, err
	}
	return s, s.start(ctx, slapd)
}

// lookSlapd finds a program of slapd, which Debian keeps in /usr/sbin, outside many a PATH.
func lookSlapd(name string) (string, error) {
	for _, f := range []string{name, "/usr/sbin/" + name} {
		if p, err := exec.LookPath(f); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: run make deps", name)
}

// prepare writes the configuration and loads the content.
func (s *LDAP) prepare(ctx context.Context, o SlapdOptions) error {
	if err := os.MkdirAll(filepath.Join(s.Dir, "db"), 0o700); err != nil {
		return err
	}
	if o.TLS {
		if err := s.makeCertificate(); err != nil {
			return err
		}
	}
	if err := os.WriteFile(s.conf(), []byte(s.config(o)), 0o600); err != nil {
		return err
	}
	if o.LDIF == "" {
		b, err := os.ReadFile(filepath.Join(repository(), "testdata", "ldap", "organisation.ldif"))
		if err != nil {
			return err
		}
		o.LDIF = string(b)
	}
	return s.load(ctx, strings.TrimRight(o.LDIF, "\n")+"\n\n"+policyLDIF)
}

func (s *LDAP) conf() string { return filepath.Join(s.Dir, "slapd.conf") }

// policyLDIF is the password policy: with pwdLockout, pwdAccountLockedTime locks an account.
const policyLDIF = `dn: cn=policy,` + BaseDN + `
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 1000
`

func (s *LDAP) load(ctx context.Context, ldif string) error {
	slapadd, err := lookSlapd("slapadd")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, slapadd, "-q", "-f", s.conf())
	cmd.Stdin = strings.NewReader(ldif)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("slapadd: %w: %s", err, out)
	}
	return nil
}

func (s *LDAP) config(o SlapdOptions) string {
	var b strings.Builder
	for _, name := range []string{"core", "cosine", "inetorgperson"} {
		fmt.Fprintf(&b, "include /etc/ldap/schema/%s.schema\n", name)
	}
	b.WriteString("modulepath /usr/lib/ldap\n")
	for _, name := range []string{"back_mdb", "syncprov", "memberof", "refint", "sssvlv", "ppolicy"} {
		fmt.Fprintf(&b, "moduleload %s\n", name)
	}
	fmt.Fprintf(&b, "pidfile %[1]s/slapd.pid\nargsfile %[1]s/slapd.args\n", s.Dir)
	if s.CA != "" {
		fmt.Fprintf(&b, "TLSCACertificateFile %[1]s/ca.pem\nTLSCertificateFile %[1]s/cert.pem\nTLSCertificateKeyFile %[1]s/key.pem\n", s.Dir)
	}
	b.WriteString("sizelimit unlimited\n" + o.Global + "\n")
	fmt.Fprintf(&b, "database mdb\nmaxsize 1073741824\ndbnosync\nsuffix %q\nrootdn %q\nrootpw %s\ndirectory %s/db\n",
		BaseDN, AdminDN, AdminPassword, s.Dir)
	b.WriteString("index objectClass,uid,mail,employeeNumber,entryUUID,entryCSN,member eq\n" + o.Database + "\n")
	b.WriteString("access to attrs=userPassword by self write by anonymous auth by * none\naccess to * by * read\n")
	b.WriteString("overlay syncprov\nsyncprov-checkpoint 100 10\nsyncprov-sessionlog 10000\n")
	b.WriteString("overlay memberof\noverlay refint\nrefint_attributes member manager\noverlay sssvlv\n")
	fmt.Fprintf(&b, "overlay ppolicy\nppolicy_default \"cn=policy,%s\"\n", BaseDN)
	return b.String()
}

func (s *LDAP) start(ctx context.Context, slapd string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	s.Port, s.URL = port, fmt.Sprintf("ldap://127.0.0.1:%d", port)
	// -d 0 keeps it in the foreground.
	s.proc, err = startProcess(exec.Command(slapd, "-f", s.conf(), "-h", s.URL, "-d", "0"))
	if err != nil {
		return err
	}
	err = s.proc.until(ctx, func() error {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			err = c.Close()
		}
		return err
	})
	if err != nil {
		s.Stop()
	}
	return err
}

// Stop ends the server.
func (s *LDAP) Stop() { s.proc.stop() }
