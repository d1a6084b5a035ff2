package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/provost-id/provost/plugins/webhook"
)

// TestSignatureOfStandardWebhooks holds us to the published example of Standard
// Webhooks, so that receivers can use its libraries.
func TestSignatureOfStandardWebhooks(t *testing.T) {
	v, err := webhook.NewVerifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	v.Now = func() time.Time { return time.Unix(1614265330, 0) }
	h := http.Header{}
	h.Set(webhook.HeaderID, "msg_p5jXN8AQM9LWM0D4loKWxJek")
	h.Set(webhook.HeaderTimestamp, "1614265330")
	h.Set(webhook.HeaderSignature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	if err := v.Verify(h, []byte(`{"test": 2432232314}`)); err != nil {
		t.Error(err)
	}
}

// signed is one request as a receiver gets it.
func signed(t *testing.T) (http.Header, []byte) {
	t.Helper()
	var h http.Header
	var body []byte
	uri := serve(t, func(w http.ResponseWriter, r *http.Request) {
		h = r.Header.Clone()
		body, _ = io.ReadAll(r.Body) // an error shows as a signature that does not fit
		w.WriteHeader(http.StatusNoContent)
	})
	if _, err := caller(t, channel(uri)).Call(t.Context(), []byte(`{"eventId":"1"}`)); err != nil {
		t.Fatal(err)
	}
	return h, body
}

// TestADV79_ForgedOrReplayed: what provost sent is accepted once, and nothing else is.
func TestADV79_ForgedOrReplayed(t *testing.T) {
	h, body := signed(t)
	tests := map[string]struct {
		change func(h http.Header, body []byte) []byte
		at     time.Duration // the receiver's clock
		want   error
	}{
		"genuine":       {},
		"genuine, late": {at: 4 * time.Minute},
		"body changed":  {change: func(_ http.Header, b []byte) []byte { return append(b, ' ') }, want: webhook.ErrSignature},
		"ID changed":    {change: func(h http.Header, b []byte) []byte { h.Set(webhook.HeaderID, "msg_x"); return b }, want: webhook.ErrSignature},
		"no signature":  {change: func(h http.Header, b []byte) []byte { h.Del(webhook.HeaderSignature); return b }, want: webhook.ErrSignature},
		"other version": {change: func(h http.Header, b []byte) []byte {
			h.Set(webhook.HeaderSignature, "v2"+h.Get(webhook.HeaderSignature)[2:])
			return b
		}, want: webhook.ErrSignature},
		"one of two fits": {change: func(h http.Header, b []byte) []byte {
			h.Set(webhook.HeaderSignature, "v1,AAAA "+h.Get(webhook.HeaderSignature))
			return b
		}},
		"time moved": {change: func(h http.Header, b []byte) []byte {
			h.Set(webhook.HeaderTimestamp, strconv.FormatInt(time.Now().Unix()+60, 10))
			return b
		}, want: webhook.ErrSignature},
		"no time":             {change: func(h http.Header, b []byte) []byte { h.Del(webhook.HeaderTimestamp); return b }, want: webhook.ErrTime},
		"old":                 {at: 6 * time.Minute, want: webhook.ErrTime},
		"from the future":     {at: -6 * time.Minute, want: webhook.ErrTime},
		"time out of all use": {change: func(h http.Header, b []byte) []byte { h.Set(webhook.HeaderTimestamp, "9223372036854775807"); return b }, want: webhook.ErrTime},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := webhook.NewVerifier(secret)
			if err != nil {
				t.Fatal(err)
			}
			v.Now = func() time.Time { return time.Now().Add(tt.at) }
			got, sent := h.Clone(), append([]byte(nil), body...)
			if tt.change != nil {
				sent = tt.change(got, sent)
			}
			if err := v.Verify(got, sent); !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			if err := v.Verify(got, sent); !errors.Is(err, webhook.ErrReplay) {
				t.Errorf("the second time: %v, want ErrReplay", err)
			}
		})
	}
}

// TestEveryRequestHasItsID: a retry is no replay.
func TestEveryRequestHasItsID(t *testing.T) {
	a, _ := signed(t)
	b, _ := signed(t)
	if a.Get(webhook.HeaderID) == b.Get(webhook.HeaderID) {
		t.Errorf("two requests have the ID %s", a.Get(webhook.HeaderID))
	}
}

// signedAt is a request of a sender whose clock says when, signed by hand.
func signedAt(id string, when time.Time, body string) http.Header {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")) // a constant
	timestamp := strconv.FormatInt(when.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, id+"."+timestamp+"."+body) // a hash takes everything
	h := http.Header{}
	h.Set(webhook.HeaderID, id)
	h.Set(webhook.HeaderTimestamp, timestamp)
	h.Set(webhook.HeaderSignature, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return h
}

// TestADV79_ReplayIsKnownAsLongAsItIsValid: a request of a clock that is ahead is
// valid for ten minutes and refused the second time throughout, wherever in the memory
// of the verifier it stands.
func TestADV79_ReplayIsKnownAsLongAsItIsValid(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	for arrival := time.Duration(0); arrival < 45*time.Minute; arrival += 3 * time.Minute {
		for later := time.Duration(0); later <= 2*webhook.Tolerance; later += time.Minute {
			v, err := webhook.NewVerifier(secret)
			if err != nil {
				t.Fatal(err)
			}
			now := start
			v.Now = func() time.Time { return now }
			verify := func(id string, ahead time.Duration) error {
				return v.Verify(signedAt(id, now.Add(ahead), "{}"), []byte("{}"))
			}
			for ; now.Before(start.Add(arrival)); now = now.Add(4 * time.Minute) { // what comes before
				if err := verify(now.String(), 0); err != nil {
					t.Fatal(err)
				}
			}
			now = start.Add(arrival)
			h := signedAt("msg_x", now.Add(webhook.Tolerance), "{}")
			if err := v.Verify(h, []byte("{}")); err != nil {
				t.Fatal(err)
			}
			for ; now.Before(start.Add(arrival + later)); now = now.Add(time.Minute) { // what comes between
				if err := verify("between "+now.String(), 0); err != nil {
					t.Fatal(err)
				}
			}
			if err := v.Verify(h, []byte("{}")); !errors.Is(err, webhook.ErrReplay) {
				t.Fatalf("arrived after %v, again %v later: %v, want ErrReplay", arrival, later, err)
			}
		}
	}
}
