package federation

import (
	"slices"
	"strings"
)

// action is what a sign-in comes to.
type action int

const (
	deny   action = iota
	signIn        // the link is there
	link          // a user is there, and the policy links it
	create        // nobody is there, and the policy makes a user
)

// facts is all that the decision rests on.
type facts struct {
	linked   string // the user that the subject of this provider is already
	name     userName
	email    string
	verified bool // the provider says that it proved the address
	match    *match
}

// match is the one user that the name means.
type match struct {
	userID   string
	groups   []string
	admin    bool // member of Administrators
	unproven bool // made by a provider that had not verified the address, or found by one that nobody vouches for
	taken    bool // linked to another subject of this provider already
}

// decide is the algorithm of the contract (section 9.3, steps 2 to 6), in one function
// that every way in goes through. It never links on an address that is unproven on
// either side: whoever can write an address into a profile somewhere is not its owner.
func decide(p Policy, f facts) (action, *Denied) {
	switch {
	case f.linked != "":
		return signIn, nil
	case f.match != nil:
		if d := mayLink(p, f); d != nil {
			return deny, d
		}
		return link, nil
	case p.Provisioning.Action == Auto:
		return create, nil
	}
	return deny, denied(jitDisabled, "")
}

func mayLink(p Policy, f facts) *Denied {
	switch {
	case p.AccountLink.Action != Auto:
		return denied(linkDisabled, "")
	case f.match.taken:
		return denied(noMatch, "the user is linked to another subject of this provider")
	case f.match.unproven:
		return denied(noMatch, "the user has an address that nobody verified")
	case f.name.fromEmail && !f.verified:
		return denied(noMatch, "the provider has not verified the address")
	case strings.Contains(f.name.value, "@") && !strings.EqualFold(f.name.value, f.email):
		return denied(noMatch, "the name looks like an address and is not the verified one")
	}
	return passFilter(p.AccountLink.Filter, f)
}

// passFilter keeps administrators out unless the filter lets them in.
func passFilter(filter *LinkFilter, f facts) *Denied {
	if filter == nil {
		filter = &LinkFilter{}
	}
	users := filter.Users
	if users == nil {
		users = &UserFilter{}
	}
	switch {
	case f.match.admin && (users.ExcludeAdmins == nil || *users.ExcludeAdmins),
		slices.Contains(users.Exclude, f.match.userID):
		return denied(linkDeniedUser, "")
	case filter.Groups != nil && len(filter.Groups.Include) > 0 && !intersect(filter.Groups.Include, f.match.groups):
		return denied(linkDeniedGroup, "")
	case filter.Domains != nil && !authoritative(filter.Domains.Include, f.email):
		return denied(noMatch, "the provider is not authoritative for the domain")
	}
	return nil
}

func intersect(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// authoritative reports whether the address stands in one of the domains.
func authoritative(domains []string, email string) bool {
	_, domain, ok := strings.Cut(email, "@")
	return ok && slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) })
}
