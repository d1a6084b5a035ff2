package scim

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/provost-id/provost/provisioning"
)

// Profile is what one kind of target does in its own way. The zero value is a target that keeps to the RFCs.
type Profile struct {
	// Patch is "rfc" or "none" (PUT is used); "" asks the target's ServiceProviderConfig.
	Patch string `json:"patch"`
	// MaxCount is the page size to ask for.
	MaxCount int `json:"maxCount"`
	// MembersPerRequest bounds the members in one PATCH of a group.
	MembersPerRequest int `json:"membersPerRequest"`
	// MembersHidden says that lists of groups come without members.
	MembersHidden bool `json:"membersHidden"`
	// MembersBlind changes members without reading the group first, for targets with groups that are too large to read.
	MembersBlind bool `json:"membersBlind"`
	// GroupReplaceAllowed lets a target without PATCH have all members of a group at once, by PUT.
	GroupReplaceAllowed bool `json:"groupReplaceAllowed"`
	// DeleteMeans is "deactivate" for a target whose DELETE would lose more than an account; "" is DELETE.
	DeleteMeans string `json:"deleteMeans"`
	// BoolAsString sends "True" and "False".
	BoolAsString bool `json:"boolAsString"`
}

//go:embed profiles.json
var profilesJSON []byte

// settings are settings.app of a scim2 app, checked.
type settings struct {
	base    string // without a slash at the end
	token   string
	profile Profile
}

const (
	defaultCount   = 100
	defaultMembers = 100
)

// parseSettings checks the settings of an app; every fault is an ErrConfig that names the setting.
func parseSettings(c provisioning.Config) (settings, error) {
	s := settings{token: c.String("token")}
	u, err := url.Parse(c.String("baseUrl"))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return s, configError("baseUrl", "want https://host/path")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return s, configError("baseUrl", "a user, a query or a fragment has no place in it")
	case strings.ContainsFunc(s.token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return s, configError("token", "not a bearer token")
	}
	s.base = strings.TrimRight(u.String(), "/")
	if s.profile, err = profile(c); err != nil {
		return s, err
	}
	return s, nil
}

// profile takes the named profile and lays the app's own settings of profileSettings over it.
func profile(c provisioning.Config) (Profile, error) {
	p := Profile{MaxCount: defaultCount, MembersPerRequest: defaultMembers}
	name := c.String("profile")
	if name == "" {
		name = "generic"
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(profilesJSON, &all); err != nil {
		return p, err
	}
	raw, ok := all[name]
	if !ok {
		return p, configError("profile", "there is no profile %q", name)
	}
	if err := strict(raw, &p); err != nil {
		return p, configError("profile", "%w", err)
	}
	if c["profileSettings"] == nil {
		return p, p.check()
	}
	own, err := json.Marshal(c["profileSettings"])
	if err == nil {
		err = strict(own, &p)
	}
	if err != nil {
		return p, configError("profileSettings", "%w", err)
	}
	return p, p.check()
}

func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func (p Profile) check() error {
	switch {
	case p.Patch != "" && p.Patch != "rfc" && p.Patch != "none":
		return configError("profileSettings", "patch is %q, want rfc or none", p.Patch)
	case p.DeleteMeans != "" && p.DeleteMeans != "deactivate":
		return configError("profileSettings", "deleteMeans is %q, want deactivate or nothing", p.DeleteMeans)
	case p.MaxCount < 1 || p.MaxCount > 10000 || p.MembersPerRequest < 1 || p.MembersPerRequest > 10000:
		return configError("profileSettings", "maxCount and membersPerRequest are 1 to 10000")
	}
	return nil
}

func configError(setting, reason string, args ...any) error {
	return &provisioning.Error{Kind: provisioning.ErrConfig, Attr: setting, Err: fmt.Errorf(reason, args...)}
}
