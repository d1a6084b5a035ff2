package scim

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/provost-id/provost/provisioning"
)

// maxPages bounds a read, against a target that never ends.
const maxPages = 100_000

// list is a ListResponse (RFC 7644, section 3.4.2); encoding/json takes "resources" as well, which some targets write.
type list struct {
	TotalResults int    `json:"totalResults"`
	Resources    []tree `json:"Resources"`
}

// page asks for count resources from start, which counts from 1.
func (c *Connector) page(ctx context.Context, typ string, start, count int, filter string) (list, error) {
	q := url.Values{"startIndex": {strconv.Itoa(start)}, "count": {strconv.Itoa(count)}}
	if filter != "" {
		q.Set("filter", filter)
	}
	r := request{method: http.MethodGet, path: []string{endpoint(typ)}, query: q}
	ans, err := c.client.do(ctx, r)
	if err != nil {
		return list{}, err
	}
	var l list
	return l, ans.decode(r.op(), &l)
}

// Read walks the pages. It is complete when as many different objects came as the target said there are, and said so on every
// page: pages by index shift when something is deleted meanwhile, and then nothing may be inferred.
func (c *Connector) Read(ctx context.Context, r provisioning.ReadRequest, yield func(provisioning.Batch) error) (provisioning.End, error) {
	a, err := c.discover(ctx)
	if err != nil {
		return provisioning.End{}, err
	}
	count := a.count
	if r.PageSize > 0 {
		count = min(count, r.PageSize)
	}
	w := &walk{c: c, r: r, wanted: c.wanted(ctx, r), yield: yield, seen: map[string]bool{}, steady: true}
	for n := range maxPages {
		more, err := w.step(ctx, count, n == 0)
		if err != nil {
			return provisioning.End{Total: len(w.seen)}, err
		}
		if !more {
			break
		}
	}
	complete := w.steady && len(w.seen) == w.total && ctx.Err() == nil
	return provisioning.End{Complete: complete, Total: len(w.seen)}, nil
}

// walk is a read under way.
type walk struct {
	c      *Connector
	r      provisioning.ReadRequest
	wanted []string
	yield  func(provisioning.Batch) error
	seen   map[string]bool // IDs
	told   int             // resources, with those that came twice
	total  int             // as the target says
	steady bool            // it always said the same
}

// step reads one page and says whether there is another.
func (w *walk) step(ctx context.Context, count int, first bool) (bool, error) {
	l, err := w.c.page(ctx, w.r.Type, w.told+1, count, "")
	if err != nil {
		return false, err
	}
	w.steady = w.steady && (first || l.TotalResults == w.total)
	w.total = l.TotalResults
	w.told += len(l.Resources)
	for len(l.Resources) > 0 {
		n := min(len(l.Resources), provisioning.MaxBatch)
		if err := w.hand(l.Resources[:n]); err != nil {
			return false, err
		}
		l.Resources = l.Resources[n:]
		if w.told >= w.total && len(l.Resources) == 0 {
			return false, ctx.Err()
		}
		if len(l.Resources) == 0 {
			return true, ctx.Err()
		}
	}
	return false, ctx.Err() // an empty page is the end, whatever the total says
}

func (w *walk) hand(resources []tree) error {
	var b provisioning.Batch
	for _, t := range resources {
		o := w.c.object(w.r.Type, t, w.wanted)
		if o.ID == "" {
			return &provisioning.Error{Kind: provisioning.ErrInvalid, Op: "read " + endpoint(w.r.Type), Attr: "id", Body: "a resource without an id"}
		}
		if w.seen[o.ID] {
			w.steady = false
			continue
		}
		w.seen[o.ID] = true
		b.Objects = append(b.Objects, o)
	}
	if len(b.Objects) == 0 {
		return nil
	}
	return w.yield(b)
}

func (c *Connector) wanted(ctx context.Context, r provisioning.ReadRequest) []string {
	if len(r.Attributes) > 0 {
		return r.Attributes
	}
	return remoteNames(r.Type)
}

func remoteNames(typ string) []string {
	t, _ := schema.Type(typ)
	out := make([]string, len(t.Attributes))
	for i, a := range t.Attributes {
		out[i] = a.RemoteName()
	}
	return out
}
