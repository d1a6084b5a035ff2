package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
)

// userBody is a person of about a kilobyte, as a client of a company sends one.
func userBody(n int) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
"userName":"person%[1]d@example.com","name":{"givenName":"Frédérique","familyName":"Okonkwo-%[1]d","formatted":"Frédérique Okonkwo-%[1]d"},
"displayName":"Frédérique Okonkwo %[1]d","nickName":"Fred","title":"Senior Engineer","preferredLanguage":"fr-CA","locale":"fr_CA","timezone":"America/Toronto",
"emails":[{"value":"person%[1]d@example.com","type":"work","primary":true},{"value":"fred%[1]d@home.example","type":"home"}],
"phoneNumbers":[{"value":"+1 555 0100 %[1]d","type":"work","primary":true},{"value":"+1 555 0199 %[1]d","type":"mobile"}],
"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","locality":"Toronto","region":"ON","postalCode":"M5V 2T6","country":"CA","primary":true}],
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%[1]d","costCenter":"4130","organization":"Universal Studios","division":"Theme Park","department":"Tour Operations"}}`, n)
}

func (b *bench) scimGet(ctx context.Context) (row, error) {
	var u struct {
		ID string `json:"id"`
	}
	if err := b.ask(ctx, "POST", "/scim/v2/Users", userBody(0), &u); err != nil {
		return row{}, err
	}
	var raw json.RawMessage
	if err := b.ask(ctx, "GET", "/scim/v2/Users/"+u.ID, "", &raw); err != nil {
		return row{}, err
	}
	floor, err := startFloor(ctx, "body", len(raw))
	if err != nil {
		return row{}, err
	}
	defer floor.stop()
	h := b.header("")
	ours := b.load(b.server.PID(), http.StatusOK, func(int) (string, string, string, http.Header) {
		return "GET", b.server.URL + "/scim/v2/Users/" + u.ID, "", h
	})
	base := b.load(floor.pid(), http.StatusOK, func(int) (string, string, string, http.Header) { return "GET", floor.url, "", h })
	return b.compare(ctx, row{what: "SCIM GET by id", floor: "net/http, fixed body of the same size"}, ours, base)
}

func (b *bench) scimCreate(ctx context.Context) (row, error) {
	h := b.header("application/scim+json")
	const writers = 64 // what waits together commits together
	ours := func(ctx context.Context) (result, error) {
		from := b.seq
		b.seq += b.requests
		return measure(ctx, b.server.PID(), b.requests, writers, func(ctx context.Context, i int) error {
			return b.caller.send(ctx, http.StatusCreated, "POST", b.server.URL+"/scim/v2/Users", userBody(1+from+i), h)
		})
	}
	round := 0
	base := func(ctx context.Context) (result, error) {
		round++
		return runTablesFloor(ctx, b.options, filepath.Join(b.dir, fmt.Sprint("floor", round)))
	}
	return b.compare(ctx, row{what: "SCIM create, 64 connections", floor: "the bare tables in group commit, no HTTP"}, ours, base)
}
