package testserver

import (
	"net/http"
	"strings"
	"testing"
)

func TestSlapd(t *testing.T) {
	s := Slapd(t, SlapdOptions{})
	if n := strings.Count(s.Search(t, PeopleDN, "(objectClass=inetOrgPerson)", "1.1"), "dn:"); n < 300 {
		t.Errorf("%d people, want at least 300", n)
	}
	if n := strings.Count(s.Search(t, GroupsDN, "(objectClass=groupOfNames)", "1.1"), "dn:"); n < 30 {
		t.Errorf("%d groups, want at least 30", n)
	}
	dn, found := strings.CutPrefix(strings.TrimSpace(s.Search(t, PeopleDN, "(uid=ada.lovelace)", "1.1")), "dn: ")
	if !found {
		t.Fatal("no DN of ada.lovelace")
	}
	if !s.Binds(t, dn, "ldap-ada.lovelace") || s.Binds(t, dn, "ldap-ada") {
		t.Error("the password of the organisation is not what binds")
	}
	s.Modify(t, "dn: "+dn+"\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n")
	if s.Binds(t, dn, "ldap-ada.lovelace") {
		t.Error("a locked account binds")
	}
}

func TestSlapdRefusesBrokenContent(t *testing.T) {
	_, err := StartSlapd(t.Context(), t.TempDir(), SlapdOptions{LDIF: "dn: dc=elsewhere\nobjectClass: dcObject\n"})
	if err == nil || !strings.Contains(err.Error(), "slapadd") {
		t.Errorf("got %v, want an error of slapadd", err)
	}
}

func TestScimmy(t *testing.T) {
	s := Scimmy(t, "letmein")
	for token, want := range map[string]int{"letmein": http.StatusOK, "wrong": http.StatusUnauthorized} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/Users", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("token %s: %d, want %d", token, resp.StatusCode, want)
		}
	}
	if got := s.Requests(t); len(got) != 2 || got[0].URL != "/scim/v2/Users" {
		t.Errorf("requests: %v", got)
	}
}
