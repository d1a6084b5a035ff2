package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// URNs of what an export of ours adds to SCIM.
const (
	// besideURN holds what stands beside the document of a resource.
	besideURN = "urn:provost:params:scim:schemas:transfer:2.0:Resource"
	// membersURN marks a line that goes on with the members of a group.
	membersURN = "urn:provost:params:scim:schemas:transfer:2.0:Members"
	// rejectURN holds why a line was rejected; it is passed over when it is read again.
	rejectURN = "urn:provost:params:scim:schemas:transfer:2.0:Reject"
)

// beside is what a resource has that is no attribute of its own. Times are as in meta.
type beside struct {
	Status          directory.Status    `json:"status,omitempty"`    // of a user
	GroupType       directory.GroupType `json:"groupType,omitempty"` // of a group
	StatusChanged   *time.Time          `json:"statusChanged,omitempty"`
	Activated       *time.Time          `json:"activated,omitempty"`
	LastLogin       *time.Time          `json:"lastLogin,omitempty"`
	PasswordChanged *time.Time          `json:"passwordChanged,omitempty"`
	PasswordHash    string              `json:"passwordHash,omitempty"`
	ExternalIDs     map[string]string   `json:"externalIds,omitempty"` // by client
}

// jsonDecoder makes records of lines that hold a SCIM resource each.
type jsonDecoder struct {
	o       *Options
	s       *schemas.Snapshot
	r       *lineReader
	dialect schemas.Dialect
	n       int64
	line    []byte
}

func newJSONDecoder(in *input, o *Options, s *schemas.Snapshot) *jsonDecoder {
	d := schemas.Generic
	d.UnknownAttributes = o.IgnoreUnknown
	return &jsonDecoder{o: o, s: s, r: newLineReader(in), dialect: d}
}

func (d *jsonDecoder) at() (int64, int64) { return d.n, d.r.line }

func (d *jsonDecoder) read() error {
	for {
		line, err := d.r.next()
		if fault := asFault(err); fault != nil {
			d.n++
			return err
		}
		if err != nil {
			return err
		}
		if d.line = bytes.TrimSpace(line); len(d.line) > 0 {
			d.n++
			return nil
		}
	}
}

// jsonLine is what of a line is looked at before its resource is read.
type jsonLine struct {
	ID      string
	Schemas []string
	Meta    struct {
		ResourceType string
		Created      *time.Time
		LastModified *time.Time
		Version      string
	}
	Members []struct {
		Value string
	}
	Enterprise struct {
		Manager struct{ Value string }
	}
	beside *beside
	body   []byte // the resource without what is ours
}

// record has no type for a line that only goes on with members.
func (d *jsonDecoder) record() *record {
	r := &record{n: d.n, line: d.r.line, raw: bytes.Clone(d.line)}
	l, err := d.scan()
	if err != nil {
		r.fault = err
		return r
	}
	if slices.Contains(l.Schemas, membersURN) {
		r.refs = true
		return r
	}
	if r.fault = d.fill(r, l); r.fault == nil {
		r.fault = r.setKey(d.o)
	}
	return r
}

// scan reads the members of the line that are not left to the schema.
func (d *jsonDecoder) scan() (*jsonLine, error) {
	if !utf8.Valid(d.line) {
		return nil, errors.New("the line is not valid UTF-8")
	}
	l := &jsonLine{body: d.line}
	dec := json.NewDecoder(bytes.NewReader(d.line))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("the line is no JSON object")
	}
	var cut [][2]int64 // what is ours, with the comma before it
	for dec.More() {
		from := dec.InputOffset()
		name, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("the line is no JSON: %w", err)
		}
		text, _ := name.(string) // names of members are strings
		into, ours := l.member(text)
		if err := dec.Decode(into); err != nil {
			return nil, fmt.Errorf("%s: %w", clip(text), err)
		}
		if ours {
			cut = append(cut, [2]int64{from, dec.InputOffset()})
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("the line is no JSON: %w", err)
	}
	if dec.More() {
		return nil, errors.New("something follows the JSON object")
	}
	for _, c := range slices.Backward(cut) {
		l.body = without(l.body, c[0], c[1])
	}
	return l, nil
}

// without takes a member out of an object. from is where the member before it ends.
func without(body []byte, from, to int64) []byte {
	out := append([]byte{}, body[:from]...)
	rest := body[to:]
	if bytes.HasSuffix(bytes.TrimRight(out, " \t"), []byte{'{'}) {
		rest = bytes.TrimPrefix(bytes.TrimLeft(rest, " \t"), []byte{','}) // it was the first
	}
	return append(out, rest...)
}

// skipped takes any value.
type skipped struct{}

func (skipped) UnmarshalJSON([]byte) error { return nil }

// member is where the value of a member goes; ours is not part of the resource.
func (l *jsonLine) member(name string) (into any, ours bool) {
	switch {
	case strings.EqualFold(name, "id"):
		return &l.ID, false
	case strings.EqualFold(name, "schemas"):
		return &l.Schemas, false
	case strings.EqualFold(name, "meta"):
		return &l.Meta, false
	case strings.EqualFold(name, "members"):
		return &l.Members, false
	case strings.EqualFold(name, enterpriseURN):
		return &l.Enterprise, false
	case strings.EqualFold(name, besideURN):
		l.beside = &beside{}
		return l.beside, true
	case strings.EqualFold(name, rejectURN):
		return &skipped{}, true
	}
	return &skipped{}, false
}

const enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

func (d *jsonDecoder) fill(r *record, l *jsonLine) error {
	if r.typ = d.typeOf(l); r.typ == nil {
		return fmt.Errorf("no resource type of the schema: meta.resourceType is %q, schemas %q", clip(l.Meta.ResourceType), clip(strings.Join(l.Schemas, " ")))
	}
	var err error
	if r.res, err = r.typ.Parse(l.body, d.dialect); err != nil {
		return err
	}
	r.refs, r.res.Members = len(r.res.Members) > 0, nil
	res := r.res
	r.next = func(was *schemas.Resource) (*schemas.Resource, error) { return r.typ.Replacement(was, res) }
	r.kind = directory.OrdinaryGroup
	if l.ID != "" {
		r.keepID(d.o, l.ID)
	}
	if l.beside != nil {
		return d.fillBeside(r, l)
	}
	return nil
}

// typeOf finds the resource type of a line: by its name, the schema of its core, or
// userName.
func (d *jsonDecoder) typeOf(l *jsonLine) *schemas.Type {
	if t, ok := d.s.Type(l.Meta.ResourceType); ok {
		return t
	}
	for _, t := range d.s.Types() {
		if slices.ContainsFunc(l.Schemas, func(urn string) bool { return strings.EqualFold(urn, t.Core()) }) {
			return t
		}
	}
	return nil
}

// fillBeside gives the resource what an export of ours wrote beside it.
func (d *jsonDecoder) fillBeside(r *record, l *jsonLine) error {
	b := l.beside
	if b.Status != "" && (r.typ.Name != "User" || !isStatus(b.Status)) {
		return fmt.Errorf("status %q: it is no status of a %s", clip(string(b.Status)), r.typ.Name)
	}
	if b.GroupType != "" {
		r.kind = b.GroupType
	}
	if r.opts.Status, r.opts.PasswordHash = b.Status, b.PasswordHash; b.Status != "" {
		r.res.Active = nil // the status says it better
	}
	if r.opts.Origin == nil {
		r.opts.Origin = &directory.Origin{}
	}
	o := r.opts.Origin
	o.ExternalIDs = b.ExternalIDs
	for _, t := range []struct {
		from *time.Time
		to   *time.Time
	}{
		{l.Meta.Created, &o.Created}, {l.Meta.LastModified, &o.Modified}, {b.StatusChanged, &o.StatusChanged},
		{b.Activated, &o.Activated}, {b.LastLogin, &o.LastLogin}, {b.PasswordChanged, &o.PasswordChanged},
	} {
		if t.from != nil {
			*t.to = *t.from
		}
	}
	version := strings.TrimSuffix(strings.TrimPrefix(l.Meta.Version, `W/"`), `"`)
	o.Version, _ = strconv.ParseInt(version, 10, 64) // 0 for another form: then it begins at 1
	return nil
}

func (d *jsonDecoder) links() *links {
	ln := &links{n: d.n, line: d.r.line}
	l, err := d.scan()
	if err != nil {
		return ln // the first pass has told
	}
	if slices.Contains(l.Schemas, membersURN) {
		ln.to = l.ID
	}
	for _, m := range l.Members {
		ln.members = append(ln.members, m.Value)
	}
	ln.manager = l.Enterprise.Manager.Value
	return ln
}
