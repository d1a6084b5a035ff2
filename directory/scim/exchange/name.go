package exchange

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// namer gives names to what differs from one run to the next: IDs, times, versions,
// cursors, and the URL of the service.
type namer struct {
	names  []named
	count  map[string]int
	known  map[string]bool
	etags  map[string]string // of a resource: its ID and the tag, to the name
	number int               // of the exchange
}

type named struct{ literal, name string }

// longEnough is the length from which a literal is looked for inside of other text.
const longEnough = 8

func (n *namer) learn(kind, literal string) {
	if literal == "" || n.known[literal] {
		return
	}
	n.known[literal] = true
	n.count[kind]++
	name := kind
	if kind != "base" || n.count[kind] > 1 {
		name = fmt.Sprintf("%s%d", kind, n.count[kind])
	}
	n.names = append(n.names, named{literal, "{{" + name + "}}"})
	if escaped := url.QueryEscape(literal); escaped != literal {
		n.names = append(n.names, named{escaped, "{{" + name + "}}"})
	}
}

// replace puts the names into a text.
func (n *namer) replace(text string) string {
	for _, d := range n.names {
		switch {
		case text == d.literal:
			return d.name
		case len(d.literal) >= longEnough:
			text = strings.ReplaceAll(text, d.literal, d.name)
		}
	}
	return text
}

// replacePath is replace for a path, where a short ID is a segment.
func (n *namer) replacePath(path string) string {
	path, query, asked := strings.Cut(path, "?")
	segments := strings.Split(path, "/")
	for i := range segments {
		segments[i] = n.replace(segments[i])
	}
	path = strings.Join(segments, "/")
	if asked {
		path += "?" + n.replace(maskQuery(query))
	}
	return path
}

// learnFrom finds the resources and cursors in an answer.
func (n *namer) learnFrom(v any) {
	each(v, func(o object) {
		id, meta := o.text("id"), object{}
		if m, ok := o.at("meta").(object); ok {
			meta = m
		}
		if cursor := o.text("nextCursor"); cursor != "" {
			n.learn("cursor", cursor)
		}
		switch kind := meta.text("resourceType"); kind {
		case "", "Schema", "ResourceType", "ServiceProviderConfig":
		default:
			n.learn(strings.ToLower(kind), id)
			if base, ok := strings.CutSuffix(meta.text("location"), "/"+id); ok && id != "" {
				n.learn("base", base[:max(strings.LastIndexByte(base, '/'), 0)])
			}
		}
	})
}

var wholeTime = regexp.MustCompile(`^` + timeForm + `$`)

// answer puts the names into the strings of an answer. Its error texts are nobody's
// promise.
func (n *namer) answer(v any, etag, etagName string) any {
	return mapStrings(v, "", func(name, s string) string {
		switch {
		case wholeTime.MatchString(s):
			return "{{time}}"
		case name == "detail":
			return "{{any}}"
		case name == "version" && s == etag && etag != "":
			return etagName
		case name == "version" && strings.HasPrefix(s, "W/"):
			return "{{any}}"
		case isSecret(name):
			return "{{any}}"
		}
		return n.replace(s)
	})
}

// tag names the entity tag of an answer, for the requests that send it back.
func (n *namer) tag(etag, id string) string {
	if etag == "" {
		return ""
	}
	name := fmt.Sprintf("{{etag%d}}", n.number)
	n.etags[id+" "+etag] = name
	return name
}

// exchange is what a file keeps of a request and its answer.
func (n *namer) exchange(q heard, a answered) (Exchange, error) {
	n.number++
	sent, err := parse(q.body)
	if err != nil {
		return Exchange{}, fmt.Errorf("request: %w", err)
	}
	got, err := parse(a.body)
	if err != nil {
		return Exchange{}, fmt.Errorf("answer: %w", err)
	}
	var e Exchange
	path, _, _ := strings.Cut(q.path, "?")
	id := path[strings.LastIndexByte(path, '/')+1:]
	e.Request = Request{Method: q.method, Path: n.replacePath(q.path), Header: map[string]string{}}
	for _, name := range kept.request {
		value := q.header.Get(name)
		if tag, ok := n.etags[id+" "+value]; ok && strings.HasPrefix(name, "If-") {
			value = tag
		}
		if value != "" {
			e.Request.Header[name] = n.replace(value)
		}
	}
	e.Request.Body, err = encode(mapStrings(maskBody(sent), "", func(_, s string) string { return n.replace(s) }))
	if err != nil {
		return Exchange{}, err
	}
	n.learnFrom(got)
	if o, ok := got.(object); ok && o.text("id") != "" {
		id = o.text("id")
	}
	etag := a.header.Get("ETag")
	etagName := n.tag(etag, id)
	e.Response = Response{Status: a.status, Header: map[string]string{}}
	for _, name := range kept.response {
		switch value := a.header.Get(name); {
		case value == "":
		case name == "ETag":
			e.Response.Header[name] = etagName
		default:
			e.Response.Header[name] = n.replace(value)
		}
	}
	e.Response.Body, err = encode(n.answer(got, etag, etagName))
	return e, err
}

func encode(v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	return marshal(v)
}
