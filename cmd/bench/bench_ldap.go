package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/testserver"
	"github.com/provost-id/provost/provisioning"
	"github.com/provost-id/provost/provisioning/ldap"
)

// entries is how many people the LDAP server of the benchmark holds.
const entries = 5000

// ldapRead reads everybody by our connector and by ldapsearch with the same page
// size, each as a process of its own; a request is an entry.
func (b *bench) ldapRead(ctx context.Context) (row, error) {
	slapd, err := testserver.StartSlapd(ctx, filepath.Join(b.dir, "slapd"), testserver.SlapdOptions{LDIF: manyPeople()})
	if err != nil {
		return row{}, err
	}
	defer slapd.Stop()
	self, err := os.Executable()
	if err != nil {
		return row{}, err
	}
	ours := command(func() *exec.Cmd {
		cmd := exec.CommandContext(ctx, self, "-floor", "ldap")
		cmd.Env = append(os.Environ(), ldapURL+"="+slapd.URL)
		return cmd
	})
	base := command(func() *exec.Cmd {
		return exec.CommandContext(ctx, "ldapsearch", "-x", "-LLL", "-E", "pr=1000/noprompt", "-H", slapd.URL, "-D", testserver.AdminDN,
			"-w", testserver.AdminPassword, "-b", testserver.PeopleDN, "(objectClass=inetOrgPerson)")
	})
	return b.compare(ctx, row{what: "LDAP read, per entry", floor: "ldapsearch -E pr=1000"}, ours, base)
}

// command measures a whole process: its CPU time and its duration per entry.
func command(make func() *exec.Cmd) func(context.Context) (result, error) {
	return func(context.Context) (result, error) {
		cmd := make()
		var stderr strings.Builder
		cmd.Stderr = &stderr
		start := time.Now()
		if err := cmd.Run(); err != nil {
			return result{}, fmt.Errorf("%s: %w: %s", cmd.Path, err, stderr.String())
		}
		wall := time.Since(start)
		cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		return result{cpu: float64(cpu.Microseconds()) / entries, rate: entries / wall.Seconds(), p50: ms(wall), p99: ms(wall)}, nil
	}
}

// ldapURL tells the reading process where the server is.
const ldapURL = "BENCH_LDAP_URL"

// readAll is the reading process: it counts the entries and prints the count.
func readAll(ctx context.Context) (err error) {
	c, err := ldap.New(provisioning.Config{"url": os.Getenv(ldapURL), "bindDn": testserver.AdminDN, "bindPassword": testserver.AdminPassword,
		"userBaseDn": testserver.PeopleDN, "userObjectClasses": []string{"inetOrgPerson"}}, ldap.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	end, err := c.Read(ctx, provisioning.ReadRequest{Type: provisioning.TypeUser}, func(provisioning.Batch) error { return nil })
	if err == nil && (!end.Complete || end.Total != entries) {
		err = fmt.Errorf("read %d entries, complete %v; want %d", end.Total, end.Complete, entries)
	}
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(end))
}

func manyPeople() string {
	var b strings.Builder
	fmt.Fprintf(&b, "dn: %s\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n", testserver.BaseDN)
	fmt.Fprintf(&b, "dn: %s\nobjectClass: organizationalUnit\nou: people\n\n", testserver.PeopleDN)
	for i := range entries {
		fmt.Fprintf(&b, "dn: uid=p%[1]d,%[2]s\nobjectClass: inetOrgPerson\nuid: p%[1]d\ncn: Person %[1]d\nsn: Okonkwo %[1]d\ngivenName: Person\n"+
			"displayName: Person %[1]d\nmail: p%[1]d@example.com\nmail: person.%[1]d@example.com\ntitle: Engineer\nemployeeNumber: %[1]d\n"+
			"departmentNumber: Tour Operations\nl: Toronto\nst: ON\npostalCode: M5V 2T6\nstreet: 100 Universal City Plaza\n"+
			"telephoneNumber: +1 555 0100\nmobile: +1 555 0199\npreferredLanguage: fr-CA\nemployeeType: staff\n\n", i, testserver.PeopleDN)
	}
	return b.String()
}
