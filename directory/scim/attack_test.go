package scim_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/apitoken"
	"github.com/provost-id/provost/internal/events"
	"github.com/provost-id/provost/internal/httpapi"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// admin is a change with the manage scope, as the management API makes it.
var admin = directory.Change{Actor: events.System, Source: directory.Source{Kind: directory.SourceManage}, Manage: true}

func TestADV52_ReadOnlyAttributes(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		before := c.must(http.StatusOK, "GET", "/Users/"+id, "")
		for _, path := range []string{"id", "ID", "meta", "meta.version", "Meta.Created", "groups", "GROUPS", "schemas",
			"urn:ietf:params:scim:schemas:core:2.0:User:id", "urn:ietf:params:scim:schemas:core:2.0:User:groups", "groups.value"} {
			r := c.do("PATCH", "/Users/"+id, patchBody(fmt.Sprintf(`{"op":"replace","path":%q,"value":"00uother"}`, path)))
			scimType, _ := r.body["scimType"].(string)
			if r.status != http.StatusBadRequest || scimType != "mutability" && scimType != "invalidPath" {
				t.Errorf("path %s: %d %s", path, r.status, r.raw)
			}
		}
		c.do("PATCH", "/Users/"+id, patchBody(`{"op":"replace","value":{"id":"00uother","title":"Tour Guide"}}`))
		c.must(http.StatusOK, "PUT", "/Users/"+id, strings.Replace(fullUser, `"userName"`, `"id":"00uother","groups":[{"value":"`+s.dir.AdministratorsID()+`"}],"meta":{"version":"W/\"9\""},"userName"`, 1))
		after := c.must(http.StatusOK, "GET", "/Users/"+id, "")
		if after.body["id"] != id || after.body["groups"] != nil || at(after.body, "meta", "created") != at(before.body, "meta", "created") {
			t.Errorf("after: %s", after.raw)
		}
	})
}

func TestADV53_SCIMGrantsNoAdministration(t *testing.T) {
	each(t, func(t *testing.T, s *service, _ *client) {
		// Even a token with every scope: over SCIM the right does not exist.
		c := s.client("", httpapi.ScopeSCIM, httpapi.ScopeManage)
		mole, boss := c.create("/Users", `{"userName":"mole@example.com"}`), c.create("/Users", `{"userName":"boss@example.com","emails":[{"value":"boss@example.com","type":"work"}]}`)
		if err := s.dir.AddMember(t.Context(), admin, s.dir.AdministratorsID(), boss); err != nil {
			t.Fatal(err)
		}
		group := "/Groups/" + s.dir.AdministratorsID()
		c.refused(http.StatusForbidden, "", "PATCH", group, patchBody(`{"op":"add","path":"members","value":[{"value":"`+mole+`"}]}`))
		c.refused(http.StatusForbidden, "", "PATCH", group, patchBody(`{"op":"remove","path":"members[value eq \"`+boss+`\"]"}`))
		c.refused(http.StatusForbidden, "", "PUT", group, `{"displayName":"Administrators","members":[{"value":"`+mole+`"}]}`)
		c.refused(http.StatusForbidden, "", "DELETE", group, "")
		c.refused(http.StatusForbidden, "", "PATCH", "/Users/"+boss, patchBody(`{"op":"replace","path":"password","value":"stolen horse"}`))
		c.refused(http.StatusForbidden, "", "DELETE", "/Users/"+boss, "")
		for _, ops := range []string{
			`{"op":"replace","path":"active","value":false}`, `{"op":"replace","value":{"active":"False"}}`, `{"op":"replace","path":"userName","value":"mine@example.com"}`,
			`{"op":"add","path":"emails","value":[{"value":"mole@example.com","primary":true}]}`, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"mole@example.com"}`,
			`{"op":"remove","path":"emails"}`,
		} {
			c.refused(http.StatusForbidden, "", "PATCH", "/Users/"+boss, patchBody(`{"op":"add","path":"title","value":"x"},`+ops), "administrator")
		}
		c.refused(http.StatusForbidden, "", "PUT", "/Users/"+boss, `{"userName":"boss@example.com","active":false}`, "administrator")
		c.refused(http.StatusForbidden, "", "PUT", "/Users/"+boss, `{"userName":"boss@example.com","title":"T"}`, "administrator")
		// What says nothing about how they sign in may be changed, and repeated.
		c.must(http.StatusOK, "PUT", "/Users/"+boss, `{"userName":"boss@example.com","active":true,"title":"T","emails":[{"value":"boss@example.com","type":"work"}]}`)
		c.refused(http.StatusConflict, "uniqueness", "POST", "/Groups", `{"displayName":"ADMINISTRATORS"}`, "displayName")
		c.must(http.StatusOK, "PATCH", "/Users/"+mole, patchBody(`{"op":"add","path":"roles","value":[{"value":"admin"}]},{"op":"replace","path":"userType","value":"admin"}`))
		if got := c.members(s.dir.AdministratorsID()); len(got) != 1 || got[0] != boss {
			t.Errorf("administrators: %v", got)
		}
	})
}

func TestADV54_IDsAreNoOtherNames(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		victim := c.create("/Users", `{"userName":"victim@example.com"}`)
		evil := c.create("/Users", `{"userName":"`+victim+`","externalId":"`+victim+`"}`)
		number := c.create("/Users", `{"userName":"1","externalId":"1"}`)
		if r := c.must(http.StatusOK, "GET", "/Users/"+victim, ""); r.body["userName"] != "victim@example.com" {
			t.Errorf("GET by id gives %s", r.raw)
		}
		c.refused(http.StatusNotFound, "", "GET", "/Users/1", "")
		for filter, want := range map[string]string{
			`id eq "` + victim + `"`: victim, `externalId eq "` + victim + `"`: evil, `userName eq "` + victim + `"`: evil, `externalId eq "1"`: number,
		} {
			r := c.must(http.StatusOK, "GET", "/Users?filter="+url.QueryEscape(filter), "")
			if r.body["totalResults"] != 1.0 || at(r.body, "Resources", 0, "id") != want {
				t.Errorf("%s: %s", filter, r.raw)
			}
		}
		c.must(http.StatusNoContent, "DELETE", "/Users/"+evil, "")
		c.must(http.StatusOK, "GET", "/Users/"+victim, "")
	})
}

func TestADV55_ExternalIDsOfAnotherClient(t *testing.T) {
	each(t, func(t *testing.T, s *service, a *client) {
		b := s.client("", httpapi.ScopeSCIM)
		id := a.create("/Users", `{"userName":"ana@example.com","externalId":"a-1"}`)
		if r := b.must(http.StatusOK, "GET", "/Users/"+id, ""); r.body["externalId"] != nil {
			t.Errorf("b sees %s", r.raw)
		}
		if r := b.must(http.StatusOK, "GET", "/Users?filter="+url.QueryEscape(`externalId eq "a-1"`), ""); r.body["totalResults"] != 0.0 {
			t.Errorf("b finds %s", r.raw)
		}
		b.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"externalId","value":"b-1"}`))
		if r := a.must(http.StatusOK, "GET", "/Users/"+id, ""); r.body["externalId"] != "a-1" {
			t.Errorf("a sees %s", r.raw)
		}
		b.must(http.StatusOK, "PUT", "/Users/"+id, `{"userName":"ana@example.com"}`)
		if r := a.must(http.StatusOK, "GET", "/Users?filter="+url.QueryEscape(`externalId eq "a-1"`), ""); r.body["totalResults"] != 1.0 {
			t.Errorf("a finds %s", r.raw)
		}
	})
}

// A mail address that a client has set counts as the person's own only when the token, or
// somebody who runs the directory, says so.
func TestADV56_ChangedMailIsNotVerified(t *testing.T) {
	each(t, func(t *testing.T, s *service, _ *client) {
		const replace = `{"op":"replace","path":"emails[type eq \"work\"].value","value":"%s@example.com"}`
		want := func(vouched bool, id, what string) {
			t.Helper()
			u, err := s.dir.User(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := s.dir.Vouched(t.Context(), u, "email"); err != nil || got != vouched {
				t.Errorf("%s: verified %v, %v, want %v", what, got, err, vouched)
			}
		}
		stranger, trusted := s.client("", httpapi.ScopeSCIM), s.client("", httpapi.ScopeSCIM)
		admin := s.client("", httpapi.ScopeSCIM, httpapi.ScopeManage)
		if _, err := s.tokens.Update(t.Context(), events.System, trusted.id, func(set *apitoken.Settings) { set.VerifiesEmail = true }); err != nil {
			t.Fatal(err)
		}
		for i, c := range []*client{stranger, trusted, admin} {
			id := c.create("/Users", fmt.Sprintf(`{"userName":"u%d@example.com","emails":[{"value":"u%d@example.com","type":"work","primary":true}]}`, i, i))
			want(c != stranger, id, "created")
			stranger.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(fmt.Sprintf(replace, "evil")))
			want(false, id, "changed by a stranger")
			stranger.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"Engineer"}`))
			trusted.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"Director"}`))
			want(false, id, "another attribute changed")
			trusted.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(fmt.Sprintf(replace, "own")))
			want(true, id, "changed by who is trusted")
			stranger.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"emails","value":[{"value":"late@example.com","type":"other","primary":true}]}`))
			u, err := s.dir.User(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			profile, err := s.dir.Profile(u)
			if err != nil {
				t.Fatal(err)
			}
			want(profile["email"] == "own@example.com", id, "another element made primary")
		}
	})
}

func TestADV57_ExistingUserNameIsNeverMerged(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", `{"userName":"Ana.Ruiz@example.com","title":"Engineer"}`)
		other := c.create("/Users", `{"userName":"bob@example.com"}`)
		c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"active","value":false}`))
		for _, name := range []string{"Ana.Ruiz@example.com", "ana.ruiz@EXAMPLE.com", "ána.rüiz@example.com"} {
			body := `{"userName":"` + name + `","title":"Impostor","password":"stolen horse","active":true}`
			c.refused(http.StatusConflict, "uniqueness", "POST", "/Users", body, "userName")
			c.refused(http.StatusConflict, "uniqueness", "PUT", "/Users/"+other, body, "userName")
			c.refused(http.StatusConflict, "uniqueness", "PATCH", "/Users/"+other, patchBody(`{"op":"replace","path":"userName","value":"`+name+`"}`), "userName")
		}
		if r := c.must(http.StatusOK, "GET", "/Users/"+id, ""); r.body["title"] != "Engineer" || r.body["active"] != false {
			t.Errorf("the user that was there: %s", r.raw)
		}
	})
}

func TestADV61_ConcurrentMemberPatches(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		g := c.create("/Groups", `{"displayName":"Staff"}`)
		const n = 100
		ids := make([]string, n)
		var gone []string
		for i := range ids {
			if i%5 == 0 {
				ids[i] = c.create("/Groups", fmt.Sprintf(`{"displayName":"Team %d"}`, i))
			} else {
				ids[i] = c.create("/Users", fmt.Sprintf(`{"userName":"u%d@example.com"}`, i))
			}
			if i%2 == 0 {
				gone = append(gone, ids[i])
			}
		}
		r := c.must(http.StatusNoContent, "PATCH", "/Groups/"+g, patchBody(`{"op":"add","path":"members","value":[{"value":"`+strings.Join(gone, `"},{"value":"`)+`"}]}`))
		if r.header.Get("ETag") != `W/"2"` {
			t.Errorf("ETag %s, want version 2", r.header.Get("ETag"))
		}
		var wg sync.WaitGroup
		for i, id := range ids {
			op := `{"op":"add","path":"members","value":[{"value":"` + id + `"}]}`
			if i%2 == 0 {
				op = `{"op":"remove","path":"members[value eq \"` + id + `\"]"}`
			}
			wg.Go(func() {
				if r := c.do("PATCH", "/Groups/"+g, patchBody(op)); r.status != http.StatusNoContent {
					t.Errorf("%s: %d %s", op, r.status, r.raw)
				}
			})
		}
		wg.Wait()
		left := map[string]int{}
		for _, id := range c.members(g) {
			left[id]++
		}
		for i, id := range ids {
			if left[id] != i%2 {
				t.Errorf("%s: %d times a member", id, left[id])
			}
		}
		if r := c.must(http.StatusOK, "GET", "/Groups/"+g+"?excludedAttributes=members", ""); r.header.Get("ETag") != fmt.Sprintf(`W/"%d"`, 2+n) {
			t.Errorf("ETag %s after %d changes of version 2", r.header.Get("ETag"), n)
		}
	})
}

func TestADV59_ForgedCursor(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		for i := range 3 {
			c.create("/Users", fmt.Sprintf(`{"userName":"u%d@example.com"}`, i))
		}
		next, _ := c.must(http.StatusOK, "GET", "/Users?count=1&cursor=", "").body["nextCursor"].(string)
		edited := next[:10] + "A" + next[11:]
		if edited == next {
			edited = next[:10] + "B" + next[11:]
		}
		for _, cursor := range []string{edited, next + "AAAA", next[:20], "x", url.QueryEscape("' or 1=1 --")} {
			c.refused(http.StatusBadRequest, "invalidCursor", "GET", "/Users?count=1&cursor="+cursor, "")
		}
		c.refused(http.StatusBadRequest, "invalidCursor", "GET", "/Groups?count=1&cursor="+next, "")
		c.refused(http.StatusBadRequest, "invalidCursor", "GET", "/Users?filter="+url.QueryEscape("userName pr")+"&cursor="+next, "")
		s.client("", httpapi.ScopeSCIM).refused(http.StatusBadRequest, "invalidCursor", "GET", "/Users?count=1&cursor="+next, "")
		c.must(http.StatusOK, "GET", "/Users?count=1&cursor="+next, "")
	})
}

func TestADV65_ParallelCreates(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		statuses := make([]int, 6)
		var wg sync.WaitGroup
		for i := range statuses {
			wg.Go(func() { statuses[i] = c.do("POST", "/Users", `{"userName":"twin@example.com"}`).status })
		}
		wg.Wait()
		count := map[int]int{}
		for _, status := range statuses {
			count[status]++
		}
		if count[http.StatusCreated] != 1 || count[http.StatusConflict] != len(statuses)-1 {
			t.Errorf("statuses %v, want one 201 and the rest 409", statuses)
		}
	})
}

func TestADV66_HostileJSON(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		for name, body := range map[string]string{
			"malformed": `{"userName":`, "empty": ` `, "array": `[]`, "string": `"x"`, "null": `null`, "trailing": `{"userName":"x@example.com"} {}`,
			"key twice": `{"userName":"x@example.com","userName":"y@example.com"}`, "key twice in another case": `{"userName":"x@example.com","USERNAME":"y@example.com"}`,
			"deep":       `{"userName":"x@example.com","name":` + strings.Repeat(`{"a":`, 100000) + `1` + strings.Repeat(`}`, 100000) + `}`,
			"deep array": `{"userName":"x@example.com","emails":` + strings.Repeat(`[`, 100000), "NUL": `{"userName":"x\u0000@example.com"}`,
			"invalid UTF-8": "{\"userName\":\"x\xff@example.com\"}", "lone surrogate": `{"userName":"x\ud800@example.com"}`, "raw control character": "{\"userName\":\"x\n@example.com\"}",
		} {
			r := c.do("POST", "/Users", body)
			if r.status != http.StatusBadRequest {
				t.Errorf("POST %s: %d %s", name, r.status, clip(r.raw))
			}
			if r := c.do("PUT", "/Users/"+id, body); r.status != http.StatusBadRequest {
				t.Errorf("PUT %s: %d %s", name, r.status, clip(r.raw))
			}
			if r := c.do("PATCH", "/Users/"+id, body); r.status != http.StatusBadRequest {
				t.Errorf("PATCH %s: %d %s", name, r.status, clip(r.raw))
			}
		}
		r := c.do("POST", "/Users", `{"userName":"p@example.com","__proto__":{"active":false},"constructor":{"prototype":{}}}`)
		if r.status != http.StatusCreated || r.body["active"] != true || r.body["__proto__"] != nil {
			t.Errorf("__proto__: %d %s", r.status, r.raw)
		}
		if r := c.must(http.StatusOK, "GET", "/Users/"+id, ""); r.header.Get("ETag") != `W/"1"` {
			t.Errorf("something was written: %s", r.raw)
		}
		// A length that is not announced is counted while it is read.
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/Users", io.LimitReader(endless{}, 3<<20))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("3 MB in chunks: %d", resp.StatusCode)
		}
	})
}

// endless is a body of blanks.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestBadInput(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		id := c.create("/Users", fullUser)
		g := c.create("/Groups", `{"displayName":"Staff"}`)
		for _, tc := range []struct {
			method, path, body, scimType string
			words                        []string
		}{
			{"POST", "/Users", `{"userName":5}`, "invalidValue", []string{"userName", "string"}},
			{"POST", "/Users", `{"displayName":"x"}`, "invalidValue", []string{"userName"}},
			{"POST", "/Users", `{"userName":""}`, "invalidValue", []string{"userName"}},
			{"POST", "/Users", `{"userName":"x@example.com","active":"maybe"}`, "invalidValue", []string{"active"}},
			{"POST", "/Users", `{"userName":"x@example.com","emails":5}`, "invalidValue", []string{"emails"}},
			{"POST", "/Users", `{"userName":"x@example.com","name":[1,2]}`, "invalidValue", []string{"name"}},
			{"POST", "/Users", `{"userName":"x@example.com","password":"short"}`, "invalidValue", []string{"password"}},
			{"POST", "/Groups", `{"displayName":"x","members":[{"value":"nobody"}]}`, "invalidValue", []string{"members", "nobody"}},
			{"POST", "/Groups", `{}`, "invalidValue", []string{"displayName"}},
			{"PATCH", "/Users/" + id, patchBody(`{"op":"explode","path":"title"}`), "invalidSyntax", []string{"explode"}},
			{"PATCH", "/Users/" + id, patchBody(`{"op":"replace","path":"nosuch","value":"x"}`), "invalidPath", []string{"nosuch"}},
			{"PATCH", "/Users/" + id, patchBody(`{"op":"remove","path":"userName"}`), "mutability", []string{"userName"}},
			{"PATCH", "/Users/" + id, patchBody(`{"op":"remove"}`), "noTarget", nil},
			{"PATCH", "/Users/" + id, patchBody(`{"op":"replace","path":"title","value":{"a":1}}`), "invalidValue", []string{"title"}},
			{"PATCH", "/Groups/" + g, patchBody(`{"op":"add","path":"members","value":[{"value":5}]}`), "invalidValue", []string{"members"}},
		} {
			r := c.do(tc.method, tc.path, tc.body)
			if got, _ := r.body["scimType"].(string); tc.scimType == "mutability" && got == "invalidValue" {
				tc.scimType = got // both are right for a required attribute (RFC 7644, section 3.5.2.2)
			}
			checkError(t, tc.method+" "+tc.body, r, http.StatusBadRequest, tc.scimType, tc.words...)
		}
		big := `{"userName":"big@example.com","title":"` + strings.Repeat("x", 2<<20) + `"}`
		for _, path := range []string{"/Users", "/Users/.search"} {
			checkError(t, "POST "+path, c.do("POST", path, big), http.StatusRequestEntityTooLarge, "", "larger")
		}
		checkError(t, "PUT", c.do("PUT", "/Users/"+id, big), http.StatusRequestEntityTooLarge, "")
		checkError(t, "form", c.do("POST", "/Users", `{"userName":"f@example.com"}`, "Content-Type", "application/x-www-form-urlencoded"), http.StatusUnsupportedMediaType, "", "application/scim+json")
		c.must(http.StatusCreated, "POST", "/Users", `{"userName":"j@example.com"}`, "Content-Type", "application/json; charset=UTF-8")
		if strings.Contains(s.log.String(), `"status":500`) {
			t.Errorf("a client's mistake was answered 500:\n%s", s.log.String())
		}
	})
}

func TestADV67_PasswordIsNowhere(t *testing.T) {
	each(t, func(t *testing.T, s *service, c *client) {
		const secret = "Tr0ub4dor-and-3"
		id := c.create("/Users", `{"userName":"ana@example.com","password":"`+secret+`"}`)
		answers := []reply{
			c.must(http.StatusOK, "GET", "/Users/"+id, ""), c.must(http.StatusOK, "GET", "/Users", ""),
			c.must(http.StatusOK, "GET", "/Users/"+id+"?attributes=password,userName", ""),
			c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","value":{"password":"`+secret+`2"}}`)),
			c.must(http.StatusOK, "PUT", "/Users/"+id, `{"userName":"ana@example.com","password":"`+secret+`3"}`),
			c.do("POST", "/Users", `{"userName":"ana@example.com","password":"`+secret+`"}`),
			c.do("POST", "/Users", `{"userName":5,"password":"`+secret+`"}`),
			c.do("PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"password","value":["`+secret+`"]},{"op":"x"}`)),
		}
		for _, r := range answers {
			if strings.Contains(r.raw, "Tr0ub4dor") || strings.Contains(r.raw, `"password"`) && r.status < 400 {
				t.Errorf("answer %d holds the password: %s", r.status, r.raw)
			}
		}
		if strings.Contains(s.log.String(), "Tr0ub4dor") {
			t.Error("the log holds the password")
		}
		for _, filter := range []string{`password eq "` + secret + `"`, `password sw "T"`} {
			c.refused(http.StatusBadRequest, "invalidFilter", "GET", "/Users?filter="+url.QueryEscape(filter), "")
		}
	})
}

// ADV-68: on another node too, a deactivated or deleted user's API tokens are dead.
func TestADV68_TokensOfTheUserDie(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		db := sqldbtest.SQLite(t)
		tokensDie(t, db, db)
	})
	t.Run("postgresql, two nodes", func(t *testing.T) {
		config := sqldb.Config{URL: sqldbtest.Schema(t)}
		tokensDie(t, sqldbtest.Open(t, config), sqldbtest.Open(t, config))
	})
}

func tokensDie(t *testing.T, db, otherNode *sqldb.DB) {
	s, other := newService(t, db), newService(t, otherNode)
	c := s.client("", httpapi.ScopeSCIM)
	for name, end := range map[string]func(id string){
		"deactivate": func(id string) {
			c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"active","value":false}`))
		},
		"delete": func(id string) { c.must(http.StatusNoContent, "DELETE", "/Users/"+id, "") },
		"password": func(id string) {
			c.must(http.StatusOK, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"password","value":"another horse"}`))
		},
	} {
		id := c.create("/Users", `{"userName":"`+name+`@example.com"}`)
		secret, _, err := s.tokens.Create(t.Context(), events.System, apitoken.NewToken{Name: name, Scopes: []string{httpapi.ScopeSCIM}, UserID: id, TTL: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		own := &client{t: t, s: other, token: secret}
		own.must(http.StatusOK, "GET", "/Users", "")
		end(id)
		if r := own.do("GET", "/Users", ""); r.status != http.StatusUnauthorized {
			t.Errorf("%s: the user's token still answers %d", name, r.status)
		}
	}
}
