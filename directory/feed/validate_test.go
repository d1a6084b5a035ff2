package feed_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/provost-id/provost/directory/feed"
)

func TestStream_Refused(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		long := strings.Repeat("x", 300)
		text := func(s string) *string { return &s }
		for name, c := range map[string]struct {
			change func(*feed.Input)
			field  string
		}{
			"no label":             {func(in *feed.Input) { in.Label = "" }, "label"},
			"long label":           {func(in *feed.Input) { in.Label = long }, "label"},
			"NUL":                  {func(in *feed.Input) { in.Label = "a\x00" }, "label"},
			"no method":            {func(in *feed.Input) { in.Method = "" }, "delivery.method"},
			"other method":         {func(in *feed.Input) { in.Method = "mail" }, "delivery.method"},
			"poll of nobody":       {func(in *feed.Input) { in.Client = "" }, "clientId"},
			"poll elsewhere":       {func(in *feed.Input) { in.Endpoint = "https://x.example" }, "delivery.endpointUrl"},
			"poll with a secret":   {func(in *feed.Input) { in.Authorization = text("x") }, "delivery.authorizationHeader"},
			"unknown event":        {func(in *feed.Input) { in.Events = []string{"urn:ietf:params:scim:event:prov:nosuch"} }, "events"},
			"event of nobody here": {func(in *feed.Input) { in.Events = []string{"urn:ietf:params:scim:event:misc:asyncresp"} }, "events"},
			"unknown type":         {func(in *feed.Input) { in.Types = []string{"Toaster"} }, "resourceTypes"},
			"both limits":          {func(in *feed.Input) { in.Attributes, in.Excluded = []string{"a"}, []string{"b"} }, "excludedAttributes"},
			"many":                 {func(in *feed.Input) { in.Attributes = strings.Split(strings.Repeat("a,", 60), ",") }, "attributes"},
			"a list in a name":     {func(in *feed.Input) { in.Attributes = []string{"title,emails"} }, "attributes"},
			"algorithm":            {func(in *feed.Input) { in.Algorithm = "none" }, "alg"},
			"no URL":               {pushTo(""), "delivery.endpointUrl"},
			"file":                 {pushTo("file:///etc/passwd"), "delivery.endpointUrl"},
			"user in the URL":      {pushTo("https://a:b@x.example/"), "delivery.endpointUrl"},
			"in the clear":         {pushTo("http://10.0.0.1/"), "delivery.endpointUrl"},
			"header of two lines": {func(in *feed.Input) {
				pushTo("https://x.example")(in)
				in.Authorization = text("Bearer x\r\nHost: y")
			}, "delivery.authorizationHeader"},
		} {
			in := feed.Input{Config: feed.Config{Label: "l", Method: feed.Poll, Client: "c"}}
			c.change(&in)
			_, err := n.feed.CreateStream(t.Context(), admin, in)
			var invalid *feed.InputError
			if !errors.As(err, &invalid) || invalid.Field != c.field {
				t.Errorf("%s: %v, want an error of %s", name, err, c.field)
			}
		}
		all, err := n.feed.Streams(t.Context())
		if err != nil || len(all) != 0 {
			t.Errorf("%d streams were made (%v)", len(all), err)
		}
	}, func(o *feed.Options) { o.AllowHTTP = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
}

// A secret stays with the server that it was given for, and goes when it is taken away.
func TestStream_SecretOfAnotherServer(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		st := n.stream(pushTo("https://one.example/a"), secret("Bearer x"))
		update := func(endpoint string, authorization *string) (*feed.Stream, error) {
			in := feed.Input{Config: st.Config, Authorization: authorization}
			in.Endpoint = endpoint
			return n.feed.UpdateStream(t.Context(), admin, st.ID, in)
		}
		if got, err := update("https://one.example/b", nil); err != nil || !got.HasAuthorization {
			t.Errorf("another path: %+v, %v", got, err)
		}
		for _, other := range []string{"https://two.example/a", "https://one.example:444/a"} {
			var invalid *feed.InputError
			if got, err := update(other, nil); !errors.As(err, &invalid) || invalid.Field != "delivery.authorizationHeader" {
				t.Errorf("%s: %+v, %v", other, got, err)
			}
		}
		none := ""
		if got, err := update("https://two.example/a", &none); err != nil || got.HasAuthorization {
			t.Errorf("without: %+v, %v", got, err)
		}
		in := feed.Input{Config: st.Config}
		in.Method, in.Endpoint = feed.Poll, ""
		if _, err := n.feed.UpdateStream(t.Context(), admin, st.ID, in); err == nil {
			t.Error("a push became a poll")
		}
	})
}

func TestStream_NotTooMany(t *testing.T) {
	each(t, func(t *testing.T, n *node) {
		in := feed.Input{Config: feed.Config{Label: "l", Method: feed.Poll, Client: "c"}}
		var err error
		for i := 0; err == nil && i < 200; i++ {
			_, err = n.feed.CreateStream(t.Context(), admin, in)
		}
		all, listErr := n.feed.Streams(t.Context())
		if !errors.Is(err, feed.ErrTooMany) || listErr != nil || len(all) != 100 {
			t.Errorf("%d streams, %v, %v", len(all), err, listErr)
		}
	})
}
