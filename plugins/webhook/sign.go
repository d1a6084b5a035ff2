package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/provost-id/provost/plugins"
)

// Headers of the signature.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// Tolerance is how far the time of a request may be off.
const Tolerance = 5 * time.Minute

// secretPrefix marks a signing secret, so that scanners find one that leaked.
const secretPrefix = "whsec_"

// Why a request is refused. A receiver answers 401 to each.
var (
	ErrSignature = errors.New("signature does not fit")
	ErrTime      = errors.New("timestamp is too far from now")
	ErrReplay    = errors.New("request was seen before")
)

// NewSecret makes a signing secret of 256 random bits.
func NewSecret() plugins.Secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return plugins.Secret(secretPrefix + base64.StdEncoding.EncodeToString(key))
}

// signingKey decodes a secret. Standard Webhooks asks for 24 to 64 bytes.
func signingKey(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("a signing secret is whsec_ and 24 to 64 bytes in base64")
	}
	return key, nil
}

// signature is the value of the signature header.
func signature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%s.", id, timestamp) // a hash takes everything
	_, _ = mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// sign sets the three headers of one request.
func sign(h http.Header, key, body []byte, now time.Time) {
	id, timestamp := "msg_"+rand.Text(), strconv.FormatInt(now.Unix(), 10)
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, timestamp)
	h.Set(HeaderSignature, signature(key, id, timestamp, body))
}

// Verifier checks the signatures of one hook and remembers what it has seen. It may
// be used from any goroutine.
type Verifier struct {
	Now func() time.Time // nil for time.Now

	key []byte

	mu            sync.Mutex          // guards the rest
	recent, older map[string]struct{} // request IDs seen since turned, and in the window before
	turned        time.Time
}

// window is how long an ID is remembered at least: a clock that is ahead by Tolerance
// keeps a request valid that long.
const window = 2 * Tolerance

// NewVerifier returns a verifier for a hook's signing secret.
func NewVerifier(secret string) (*Verifier, error) {
	key, err := signingKey(secret)
	if err != nil {
		return nil, err
	}
	return &Verifier{key: key, recent: map[string]struct{}{}}, nil
}

// Verify returns nil for a request that provost signed for this hook, that is not
// old, and that was not verified before; else ErrSignature, ErrTime or ErrReplay.
func (v *Verifier) Verify(h http.Header, body []byte) error {
	id, timestamp := h.Get(HeaderID), h.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return ErrTime
	}
	now := time.Now()
	if v.Now != nil {
		now = v.Now()
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > Tolerance || age < -Tolerance {
		return ErrTime
	}
	if !v.signed(h, id, timestamp, body) {
		return ErrSignature
	}
	return v.remember(id, now)
}

// signed reports whether one of the signatures fits: there are several, separated by
// spaces, while a secret is being changed.
func (v *Verifier) signed(h http.Header, id, timestamp string, body []byte) bool {
	want := []byte(signature(v.key, id, timestamp, body))
	fits := false
	for _, s := range strings.Fields(h.Get(HeaderSignature)) {
		fits = hmac.Equal([]byte(s), want) || fits
	}
	return fits
}

// remember refuses an ID that is known. IDs are forgotten a window at a time, so that
// a request costs the same however many there were. Only signed requests come here:
// the memory is bounded by what provost sends.
func (v *Verifier) remember(id string, now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if now.Sub(v.turned) > window {
		if v.older = v.recent; now.Sub(v.turned) > 2*window {
			v.older = nil
		}
		v.recent, v.turned = map[string]struct{}{}, now
	}
	_, known := v.recent[id]
	_, before := v.older[id]
	if known || before {
		return ErrReplay
	}
	v.recent[id] = struct{}{}
	return nil
}
