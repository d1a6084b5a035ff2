package schemas

import (
	"bytes"
	"slices"
	"strconv"
	"time"
)

// Render appends the response form of a stored document to dst: the document itself,
// not decoded, with what lives outside of it spliced in and what p leaves out skipped.
// The schemas list names the schemas that the result uses (RFC 7643, section 3).
func (t *Type) Render(dst []byte, doc []byte, v Volatile, p *Projection) []byte {
	p = t.projection(p)
	t = p.t // a projection is of one version of the schema
	w := writer{t: t, p: p}
	dst = slices.Grow(dst, len(doc)+len(v.Extra)+len(v.Location)+renderRoom)
	if p.whole {
		// The schemas list comes first and has no bracket inside.
		end := bytes.IndexByte(doc, ']') + 1
		w.dst = append(dst, doc[:end]...)
		w.id(v)
		w.dst = append(w.dst, doc[end:len(doc)-1]...)
	} else {
		w.dst = append(dst, '{')
		w.empty = true
		w.id(v)
		w.used = append(w.used, t.def.Core.ID)
		w.members(doc)
	}
	w.active(v)
	if v.ExtraAt != nil {
		*v.ExtraAt = len(w.dst)
	}
	w.extra(v.Extra)
	w.meta(v)
	w.schemas()
	return append(w.dst, '}')
}

// renderRoom is what id, externalId, active and meta take without the location.
const renderRoom = 400

// writer appends a response.
type writer struct {
	t     *Type
	p     *Projection
	dst   []byte
	empty bool     // nothing follows the opening brace yet
	used  []string // schemas, when the list is not there yet
}

// name appends ,"name": without the comma at the beginning.
func (w *writer) name(name string) {
	if w.empty {
		w.empty = false
	} else {
		w.dst = append(w.dst, ',')
	}
	w.dst = append(w.dst, '"')
	w.dst = append(w.dst, name...)
	w.dst = append(w.dst, '"', ':')
}

func (w *writer) text(name, value string) {
	w.name(name)
	w.dst = AppendString(w.dst, value)
}

// shows says whether a top-level attribute, or a sub-attribute of one, is asked for.
func (w *writer) shows(a *attr) bool { return a != nil && w.p.shows[a.id] != showNothing }

func (w *writer) id(v Volatile) {
	if w.shows(w.t.root.byName["id"]) {
		w.text("id", v.ID)
	}
	if v.ExternalID != "" && w.shows(w.t.root.byName["externalid"]) {
		w.text("externalId", v.ExternalID)
	}
}

func (w *writer) active(v Volatile) {
	if v.Active != nil && w.shows(w.t.root.byName["active"]) {
		w.name("active")
		w.dst = strconv.AppendBool(w.dst, *v.Active)
	}
}

// appendTime appends a time to the microsecond, as the database keeps them, so that a
// client finds exactly the time it was shown. RFC 3339 without a fraction is the layout
// that package time knows a short way for.
func appendTime(dst []byte, t time.Time) []byte {
	dst = t.UTC().AppendFormat(dst, time.RFC3339)
	dst[len(dst)-1] = '.' // in place of the Z
	micro := t.Nanosecond() / 1000
	for unit := 100_000; unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+micro/unit%10))
	}
	return append(dst, 'Z')
}

func (w *writer) meta(v Volatile) {
	m := w.t.root.byName["meta"]
	if !w.shows(m) && len(v.Meta) == 0 {
		return
	}
	w.name("meta")
	w.dst = append(w.dst, '{')
	w.empty = true
	if w.shows(m.byName["resourcetype"]) {
		w.text("resourceType", w.t.Name)
	}
	if w.shows(m.byName["created"]) && !v.Created.IsZero() {
		w.time("created", v.Created)
	}
	if w.shows(m.byName["lastmodified"]) && !v.Modified.IsZero() {
		w.time("lastModified", v.Modified)
	}
	if w.shows(m.byName["location"]) && v.Location != "" {
		w.text("location", v.Location)
	}
	if w.shows(m.byName["version"]) {
		w.name("version")
		w.dst = append(w.dst, `"W/\"`...)
		w.dst = strconv.AppendInt(w.dst, v.Version, 10)
		w.dst = append(w.dst, `\""`...)
	}
	if len(v.Meta) > 0 {
		w.separate()
		w.dst = append(w.dst, v.Meta...)
	}
	w.empty = false
	w.dst = append(w.dst, '}')
}

func (w *writer) time(name string, t time.Time) {
	w.name(name)
	w.dst = append(w.dst, '"')
	w.dst = appendTime(w.dst, t)
	w.dst = append(w.dst, '"')
}

// schemas appends the list where the document did not bring it along.
func (w *writer) schemas() {
	if w.used == nil {
		return
	}
	w.name("schemas")
	for i, id := range w.used {
		w.dst = append(w.dst, "[,"[min(i, 1)])
		w.dst = AppendString(w.dst, id)
	}
	w.dst = append(w.dst, ']')
}

// extra appends `"name":value` if name is asked for.
func (w *writer) extra(extra []byte) {
	if len(extra) == 0 {
		return
	}
	w.member(w.t.root, extra, 0)
}
