package scim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/provost-id/provost/provisioning"
)

func refs(n int) []provisioning.Ref {
	out := make([]provisioning.Ref, n)
	for i := range out {
		out[i] = provisioning.Ref{ID: fmt.Sprintf("m%d", i)}
	}
	return out
}

// group answers a read of the double's group with n members.
func group(n int) func(http.ResponseWriter, *http.Request, string) bool {
	var list []string
	for _, r := range refs(n) {
		list = append(list, `{"value":"`+r.ID+`"}`)
	}
	return func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Method != http.MethodGet || r.URL.Path != "/Groups/g1" {
			return false
		}
		fmt.Fprintf(w, `{"id":"g1","displayName":"g","members":[%s]}`, strings.Join(list, ","))
		return true
	}
}

// TestMembersInChunks: AWS takes 100 changes in a request.
func TestMembersInChunks(t *testing.T) {
	d := newDouble(t, nil)
	c := open(t, provisioning.Config{"baseUrl": d.URL, "profile": "aws"})
	if err := c.PatchMembers(t.Context(), g1, refs(250), nil); err != nil {
		t.Fatal(err)
	}
	w := d.writes()
	if len(w) != 3 {
		t.Fatalf("%d requests, want 3", len(w))
	}
	for i, want := range []int{100, 100, 50} {
		if got := strings.Count(w[i], `{"value"`); got != want || !strings.HasPrefix(w[i], "PATCH /Groups/g1 ") {
			t.Errorf("request %d has %d members, want %d", i, got, want)
		}
	}
}

// TestOneMemberOfMany is one request with one operation, whatever the size of the group.
func TestOneMemberOfMany(t *testing.T) {
	d := newDouble(t, group(5001))
	if err := d.connector(t).PatchMembers(t.Context(), g1, []provisioning.Ref{{ID: "new"}}, nil); err != nil {
		t.Fatal(err)
	}
	if w := d.writes(); len(w) != 1 || !strings.Contains(w[0], `"Operations":[{"op":"add","path":"members","value":[{"value":"new"}]}]`) {
		t.Errorf("sent %v", w)
	}
}

// TestMemberWhoIsOneAlready may be refused with 409; the others of its chunk are added all the same.
func TestMemberWhoIsOneAlready(t *testing.T) {
	d := newDouble(t, func(w http.ResponseWriter, r *http.Request, body string) bool {
		if r.Method == http.MethodPatch && strings.Contains(body, `"m1"`) {
			w.WriteHeader(http.StatusConflict)
			return true
		}
		return false
	})
	if err := d.connector(t, map[string]any{"membersBlind": true}).PatchMembers(t.Context(), g1, refs(3), nil); err != nil {
		t.Fatal(err)
	}
	if w := d.writes(); len(w) != 4 {
		t.Errorf("sent %v", w)
	}
}

// TestCutListOfMembers: a round number may be the first page. It is told as unknown, and is never put back.
func TestCutListOfMembers(t *testing.T) {
	for n, unknown := range map[int]bool{0: false, 99: false, 100: true, 101: false, 300: true} {
		d := newDouble(t, group(n))
		o, err := d.connector(t).Get(t.Context(), g1)
		if err != nil || len(o.Members) != n || o.MembersUnknown != unknown {
			t.Errorf("%d members: unknown is %v, %v", n, o.MembersUnknown, err)
		}
		err = d.connector(t, map[string]any{"patch": "none", "groupReplaceAllowed": true}).PatchMembers(t.Context(), g1, []provisioning.Ref{{ID: "new"}}, nil)
		if unknown != errors.Is(err, provisioning.ErrTruncated) || unknown && len(d.writes()) > 0 {
			t.Errorf("%d members put back: %v, %v", n, err, d.writes())
		}
	}
	err := newDouble(t, nil).connector(t, map[string]any{"patch": "none"}).PatchMembers(t.Context(), g1, refs(1), nil)
	if !errors.Is(err, provisioning.ErrInvalid) {
		t.Errorf("without PATCH and without leave to replace: %v", err)
	}
}
