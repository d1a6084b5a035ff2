package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/provost-id/provost/internal/events"
)

// claims are those of a SET (RFC 8417, section 2.2; RFC 9967, section 2.2). There is no
// sub, so that no SET passes for an access token.
type claims struct {
	Issuer   string             `json:"iss"`
	IssuedAt int64              `json:"iat"`
	ID       string             `json:"jti"`
	Audience []string           `json:"aud"`
	Txn      string             `json:"txn"`
	Time     int64              `json:"toe"`
	Subject  subject            `json:"sub_id"`
	Events   map[string]payload `json:"events"`
}

// subject is the format scim of RFC 9967, section 2.1.
type subject struct {
	Format     string `json:"format"`
	URI        string `json:"uri"` // relative to the issuer
	ExternalID string `json:"externalId,omitempty"`
	ID         string `json:"id"`
}

// payload holds data or attributes, never both (RFC 9967, section 2.4).
type payload struct {
	Version    string          `json:"version,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Attributes []string        `json:"attributes,omitempty"`
}

// set is a SET that is not signed yet.
type set struct {
	seq    int64
	claims claims
}

// jti names the SET of an event for a stream. It is the same each time that the SET is
// sent, so that a receiver knows it again; txn is the same for all streams.
func jti(eventID, streamID string) string { return eventID + "." + streamID }

// eventOf is the event that a jti of a stream names.
func eventOf(jti, streamID string) (string, bool) {
	return strings.CutSuffix(jti, "."+streamID)
}

// setOf makes the SET of an event for a stream; ok is false when it has nothing that the
// stream tells.
func (s *Service) setOf(st *Stream, ev *events.Event, of subjects) (out set, ok bool, err error) {
	t, known := of.schema.Type(ev.Resource.Type)
	if !known {
		return set{}, false, nil // the type is gone, and with it the URLs of its resources
	}
	p, err := of.projection(st, t)
	if err != nil {
		return set{}, false, err
	}
	x := teller{s: s, st: st, ev: ev, t: t, p: p, about: of.about[ev.Resource.ID]}
	told, err := x.tell()
	if err != nil || len(told) == 0 {
		return set{}, false, err
	}
	return set{seq: ev.Seq, claims: claims{
		Issuer: s.Issuer, ID: jti(ev.ID, st.ID), Audience: s.AudienceOf(st), Txn: ev.ID, Time: ev.Time.Unix(),
		Subject: subject{Format: "scim", URI: t.Endpoint + "/" + ev.Resource.ID, ExternalID: x.externalID(), ID: ev.Resource.ID},
		Events:  told,
	}}, true, nil
}

// sign makes the JWT of a SET (RFC 8417, section 2.4).
func (s *Service) sign(ctx context.Context, st *Stream, out set) (string, error) {
	k, err := s.activeKey(ctx, st.Algorithm)
	if err != nil {
		return "", err
	}
	out.claims.IssuedAt = s.Now().Unix()
	body, err := json.Marshal(out.claims)
	if err != nil {
		return "", fmt.Errorf("encode SET: %w", err)
	}
	signed, err := k.signer.Sign(body)
	if err != nil {
		return "", fmt.Errorf("sign SET: %w", err)
	}
	return signed.CompactSerialize()
}
