// Package story walks the main job of provost through real servers: import from
// slapd, changes over SCIM that reach slapd and a SaaS application, sign-in with a
// password and through an upstream identity provider, token hooks, deactivation.
// The demonstration prints it, the end-to-end test asserts it: both run this code,
// and it knows provost only by its HTTP surfaces and its command line.
package story

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// World is what the story runs on. All of it is real: processes that were started
// for it, on loopback.
type World struct {
	Main   *Server // the provost the story is about
	Second *Server // another provost: a SaaS application and an upstream identity provider
	LDAP   LDAP
	SaaS   SaaS
	Plugin string // path of a hook plugin that adds the claim "team"

	Say func(format string, args ...any) // tells the person watching; never nil

	closers  []func() error
	ldapApp  string
	saasApps map[string]string // name -> app ID
	created  person            // made by the SCIM client
	imported person            // came from LDAP, changed over SCIM
	client   oauthClient
}

// LDAP is the directory server of the story.
type LDAP struct{ URL, BindDN, Password, UserBase, GroupBase string }

// SaaS is an application that speaks SCIM and that nobody here wrote.
type SaaS struct{ BaseURL, Token string }

// person is someone the story follows.
type person struct{ id, login, dn, password string }

// Step is one chapter of the story.
type Step struct {
	Title string
	Run   func(*World, context.Context) error
}

// Steps are the chapters in their order; each needs the ones before it.
func Steps() []Step {
	return []Step{
		{"An LDAP directory is imported", (*World).importDirectory},
		{"A SCIM client creates and changes people; LDAP and SaaS follow", (*World).changeOverSCIM},
		{"A person signs in with a password", (*World).signInWithPassword},
		{"A person signs in through another identity provider", (*World).signInThroughIdP},
		{"A webhook adds a claim to the token", (*World).hookOverHTTP},
		{"A plugin process adds a claim to the token", (*World).hookInProcess},
		{"The person is deactivated", (*World).deactivate},
	}
}

// Run walks through all steps and stops at the first that fails.
func (w *World) Run(ctx context.Context) error {
	for i, s := range Steps() {
		start := time.Now()
		w.Say("\n%d. %s", i+1, s.Title)
		if err := s.Run(w, ctx); err != nil {
			return fmt.Errorf("step %d, %s: %w", i+1, s.Title, err)
		}
		w.Say("   (%.1f s)", time.Since(start).Seconds())
	}
	return nil
}

// within asks until check is content, and returns its last complaint after limit.
func within(ctx context.Context, limit time.Duration, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", limit, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// httpClient is for API calls; the browser of a person has its own, with cookies.
var httpClient = &http.Client{Timeout: 30 * time.Second}
