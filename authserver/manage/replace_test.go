package manage_test

import (
	"testing"

	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// RFC 7592, section 2.2: who replaces a client names the same one in address and body.
func TestReplaceNamesOneClient(t *testing.T) {
	a := newAPI(t, sqldbtest.SQLite(t))
	body := object{"client_name": "x", "redirect_uris": []string{"https://app.example/cb"}}
	made := a.want(201, "POST", "/oauth2/v1/clients", body)
	id, _ := made["client_id"].(string)
	body["client_id"], body["client_name"] = "0oaother", "y"
	if got := a.want(400, "PUT", "/oauth2/v1/clients/"+id, body); got["error"] != "invalid_client_metadata" {
		t.Errorf("got %v", got)
	}
	if got := a.want(200, "GET", "/oauth2/v1/clients/"+id, nil); got["client_name"] != "x" {
		t.Errorf("the refused request changed the client: %v", got)
	}
	body["client_id"] = id
	if got := a.want(200, "PUT", "/oauth2/v1/clients/"+id, body); got["client_name"] != "y" {
		t.Errorf("got %v", got)
	}
}
