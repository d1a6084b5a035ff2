package federation

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxName     = 100
	maxTemplate = 1024
	maxFilter   = 1024
	maxList     = 100 // scopes, domains, groups of one provider
	maxSkew     = 10 * 60 * 1000
)

// complete fills in the defaults, deny first, and refuses what cannot stand.
func (i *IdP) complete() error {
	i.Name = strings.TrimSpace(i.Name)
	if n := utf8.RuneCountInString(i.Name); n == 0 || n > maxName {
		return &Invalid{"name", "must have 1 to 100 characters"}
	}
	if i.Type != TypeOIDC {
		return &Invalid{"type", "must be OIDC"}
	}
	setDefault(&i.IssuerMode, "DYNAMIC")
	if err := i.Protocol.complete(); err != nil {
		return err
	}
	if err := i.Policy.complete(); err != nil {
		return err
	}
	return i.Properties.check()
}

func setDefault(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// oneOf refuses a word that is not of the contract.
func oneOf(field, value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return &Invalid{field, "must be one of " + strings.Join(words, ", ")}
}

func (p *Protocol) complete() error {
	setDefault(&p.Type, TypeOIDC)
	if err := oneOf("protocol.type", p.Type, TypeOIDC); err != nil {
		return err
	}
	if err := checkURL("protocol.issuer.url", p.Issuer.URL); err != nil {
		return err
	}
	for name, e := range p.Endpoints {
		if err := checkURL("protocol.endpoints."+name+".url", e.URL); err != nil {
			return err
		}
	}
	if len(p.Scopes) == 0 {
		p.Scopes = []string{"openid", "profile", "email"}
	}
	if len(p.Scopes) > maxList || !slices.Contains(p.Scopes, "openid") {
		return &Invalid{"protocol.scopes", "must contain openid"}
	}
	return p.Credentials.Client.complete()
}

func (c *ClientCredentials) complete() error {
	if c.ClientID == "" {
		return &Invalid{"protocol.credentials.client.client_id", "must not be empty"}
	}
	setDefault(&c.AuthMethod, "client_secret_basic")
	c.PKCERequired = true // S256 goes with every request
	return oneOf("protocol.credentials.client.token_endpoint_auth_method", c.AuthMethod,
		"client_secret_basic", "client_secret_post", "none")
}

// checkURL wants an absolute address without user and fragment. Whether it may be
// reached is decided by the outbound client when it is.
func checkURL(field, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return &Invalid{field, "must be an http(s) URL without user and fragment"}
	}
	return nil
}

func (p *Policy) complete() error {
	setDefault(&p.Provisioning.Action, Disabled)
	setDefault(&p.Provisioning.Groups.Action, None)
	setDefault(&p.Provisioning.Conditions.Deprovisioned.Action, None)
	setDefault(&p.Provisioning.Conditions.Suspended.Action, None)
	setDefault(&p.AccountLink.Action, Disabled)
	setDefault(&p.Subject.UserNameTemplate.Template, DefaultTemplate)
	setDefault(&p.Subject.MatchType, MatchUsername)
	refresh := p.RefreshesProfile()
	p.Provisioning.ProfileMaster = &refresh
	for _, err := range []error{
		oneOf("policy.provisioning.action", p.Provisioning.Action, Auto, Disabled),
		oneOf("policy.provisioning.groups.action", p.Provisioning.Groups.Action, None, Assign, Append, Sync),
		oneOf("policy.provisioning.conditions.deprovisioned.action", p.Provisioning.Conditions.Deprovisioned.Action, None, Reactivate),
		oneOf("policy.provisioning.conditions.suspended.action", p.Provisioning.Conditions.Suspended.Action, None, Unsuspend),
		oneOf("policy.accountLink.action", p.AccountLink.Action, Auto, Disabled),
		oneOf("policy.subject.matchType", p.Subject.MatchType, MatchUsername, MatchEmail, MatchUsernameOrEmail),
		p.checkSize(),
		p.Subject.check(),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *Policy) checkSize() error {
	if p.MaxClockSkew < 0 || p.MaxClockSkew > maxSkew {
		return &Invalid{"policy.maxClockSkew", "must be 0 to 600000 milliseconds"}
	}
	g := p.Provisioning.Groups
	if len(g.Assignments) > maxList || len(g.Filter) > maxList {
		return &Invalid{"policy.provisioning.groups", "must not name more than 100 groups"}
	}
	if (g.Action == Append || g.Action == Sync) && g.SourceAttributeName == "" {
		return &Invalid{"policy.provisioning.groups.sourceAttributeName", "must not be empty"}
	}
	return nil
}

func (s *Subject) check() error {
	if len(s.UserNameTemplate.Template) > maxTemplate {
		return &Invalid{"policy.subject.userNameTemplate.template", "must not be longer than 1024 characters"}
	}
	if _, err := s.compile(); err != nil {
		return &Invalid{"policy.subject.userNameTemplate.template", err.Error()}
	}
	if len(s.Filter) > maxFilter {
		return &Invalid{"policy.subject.filter", "must not be longer than 1024 characters"}
	}
	if _, err := s.pattern(); err != nil {
		return &Invalid{"policy.subject.filter", "must be a regular expression"}
	}
	return nil
}

// pattern matches the whole name. Go's expressions run in linear time.
func (s *Subject) pattern() (*regexp.Regexp, error) { return regexp.Compile(`^(?:` + s.Filter + `)$`) }

func (p Properties) check() error {
	if len(p.Domains) > maxList {
		return &Invalid{"properties.domains", "must not name more than 100 domains"}
	}
	for _, d := range p.Domains {
		if d == "" || strings.ContainsAny(d, "@/ ") {
			return &Invalid{"properties.domains", "must be domain names"}
		}
	}
	return nil
}
