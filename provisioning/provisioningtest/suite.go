// Package provisioningtest is the suite that every connector must pass, against a real target.
//
// It owns what the interfaces of provisioning promise in words: which error when, what is idempotent, when a read is complete.
// What is special to a target (its faults, its dialect, its wire format) is left to the connector's own tests.
//
//	func TestConnector(t *testing.T) {
//		provisioningtest.TestConnector(t, provisioningtest.Target{New: connect, User: user, Group: group, Display: "displayName", Optional: "title"})
//	}
package provisioningtest

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/provost-id/provost/provisioning"
)

// A Target says how to reach a target and what its objects look like. It may hold objects of others; the suite removes its own.
type Target struct {
	// New returns a connector that the suite may close.
	New func(t *testing.T) provisioning.Connector
	// User is the profile of a new user with everything that the target asks for and the attributes of the two fields
	// below. The text is unique, and must be part of what makes the user unique; it has letters, spaces and
	// characters that need escaping.
	User func(text string) map[string]any
	// Group is the profile of a new group, or nil when the target has none.
	Group func(text string) map[string]any
	// Odd are characters that names are made with; "" means [Odd]. A target that errs with some of them gets others.
	Odd string
	// Display names an attribute of users that takes any text, Optional one that can be removed.
	Display, Optional string
}

// TestConnector runs the suite.
func TestConnector(t *testing.T, target Target) {
	for _, part := range []struct {
		name string
		run  func(*suite)
	}{
		{"describe", (*suite).describe},
		{"create", (*suite).create},
		{"create twice", (*suite).createTwice},
		{"update", (*suite).update},
		{"update and delete of nobody", (*suite).nobody},
		{"deactivate", (*suite).deactivate},
		{"delete", (*suite).remove},
		{"read", (*suite).read},
		{"read stopped", (*suite).readStopped},
		{"changes", (*suite).changes},
		{"members", (*suite).members},
		{"password", (*suite).password},
	} {
		t.Run(part.name, func(t *testing.T) {
			s := &suite{T: t, target: target, c: target.New(t)}
			t.Cleanup(func() {
				if err := s.c.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			s.prepare()
			part.run(s)
		})
	}
}

// suite is one part under way.
type suite struct {
	*testing.T
	target Target
	c      provisioning.Connector
	can    provisioning.Capabilities
	schema provisioning.Schema
}

var counter atomic.Int64

// Odd is what breaks naive quoting in LDAP filters, DNs, JSON, URLs and SCIM filters.
const Odd = `"é,=+(*)\ &#%山`

// text is unique in this process.
func (s *suite) text(word string) string {
	odd := s.target.Odd
	if odd == "" {
		odd = Odd
	}
	return fmt.Sprintf("%s %d %s", word, counter.Add(1), odd)
}

func (s *suite) prepare() {
	s.Helper()
	var err error
	if s.can, err = s.c.Describe(s.Context()); err != nil {
		s.Fatalf("describe: %v", err)
	}
	if s.schema, err = s.c.Schema(s.Context()); err != nil {
		s.Fatalf("schema: %v", err)
	}
}

func (s *suite) writer() provisioning.Writer { return s.c.(provisioning.Writer) }
func (s *suite) getter() provisioning.Getter { return s.c.(provisioning.Getter) }

func (s *suite) objectType(name string) provisioning.ObjectType {
	s.Helper()
	t, ok := s.schema.Type(name)
	if !ok {
		s.Fatalf("the schema has no %s", name)
	}
	return t
}

// object turns a profile into an object to create.
func (s *suite) object(typ string, profile map[string]any) provisioning.Object {
	s.Helper()
	return provisioning.Object{
		Ref: provisioning.Ref{Type: typ}, Active: true,
		Attributes: s.objectType(typ).Values(profile),
	}
}

// add creates an object that goes away with the test.
func (s *suite) add(typ string, profile map[string]any) provisioning.Ref {
	s.Helper()
	ref, err := s.writer().Create(s.Context(), s.object(typ, profile), provisioning.Key(fmt.Sprintf("key-%d", counter.Add(1))))
	if err != nil {
		s.Fatalf("create %s: %v", typ, err)
	}
	if ref.ID == "" || ref.Type != typ {
		s.Fatalf("create returned %+v, want an ID and the type", ref)
	}
	s.removeLater(ref)
	return ref
}

func (s *suite) addUser(word string) provisioning.Ref {
	s.Helper()
	return s.add(provisioning.TypeUser, s.target.User(s.text(word)))
}

func (s *suite) get(r provisioning.Ref) provisioning.Object {
	s.Helper()
	o, err := s.getter().Get(s.Context(), r)
	if err != nil {
		s.Fatalf("get %+v: %v", r, err)
	}
	return o
}

// byID is a Ref as it is after a restart: the ID alone counts.
func byID(r provisioning.Ref) provisioning.Ref { return provisioning.Ref{Type: r.Type, ID: r.ID} }
