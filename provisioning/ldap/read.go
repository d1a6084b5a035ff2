package ldap

import (
	"context"
	"errors"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

const (
	// pageSize is the number of entries in a page. What it is hardly matters for speed.
	pageSize = 500
	// streamBuffer is how many entries go-ldap may read ahead.
	streamBuffer = 16
	// maxEntries bounds a read, against a server that never ends.
	maxEntries = 5_000_000
)

// errStalled ends a read whose server has gone silent.
var errStalled = errors.New("the server has gone silent")

// Read reads all users or groups page by page (RFC 2696) on a connection of its own. It is complete when the server
// has closed the last page with an empty cookie and spoke of no other server. Changes goes on from its cursor.
func (c *Connector) Read(ctx context.Context, r provisioning.ReadRequest, yield func(provisioning.Batch) error) (provisioning.End, error) {
	d, err := c.ask(ctx)
	if err != nil {
		return provisioning.End{}, err
	}
	s, err := c.openStream(ctx, d, r.Type, r.Attributes, yield)
	if err != nil {
		return provisioning.End{}, err
	}
	defer s.close()
	size := uint32(pageSize)
	if r.PageSize > 0 && r.PageSize < pageSize {
		size = uint32(r.PageSize)
	}
	cursor := s.cursor()
	complete, err := s.pages(size)
	if err != nil {
		return provisioning.End{Total: s.total}, err
	}
	return provisioning.End{Complete: complete, Cursor: cursor, Total: s.total}, nil
}

// stream is one read under way.
type stream struct {
	c        *Connector
	d        *dialect
	typ      string
	wanted   []string
	conn     *goldap.Conn
	ctx      context.Context // of this read; a field, since all that follows belongs to this one call
	cancel   context.CancelCauseFunc
	watch    *time.Timer // cancels when the server goes silent
	out      *batcher
	total    int
	referred bool // the server spoke of entries that another server has
}

func (c *Connector) openStream(ctx context.Context, d *dialect, typ string, named []string, yield func(provisioning.Batch) error) (*stream, error) {
	if typ == provisioning.TypeGroup && c.settings.groupBase == nil {
		return nil, configError("groupBaseDn", "missing: the directory has no groups")
	}
	conn, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	conn.SetTimeout(0) // it would count the time that the reader of the batches takes
	s := &stream{c: c, d: d, typ: typ, wanted: wanted(typ, named), conn: conn, out: &batcher{yield: yield}}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.watch = time.AfterFunc(c.timeout, func() { s.cancel(errStalled) })
	return s, nil
}

func (s *stream) close() {
	s.watch.Stop()
	s.cancel(nil)
	_ = s.conn.Close() // the read is over
}

// pages follows the cookies and says whether the last page was proven to be the last.
func (s *stream) pages(size uint32) (bool, error) {
	for paging := goldap.NewControlPaging(size); ; {
		cookie, proven, err := s.page(paging)
		if err == nil {
			err = s.out.flush()
		}
		if err != nil {
			return false, err
		}
		if !proven || len(cookie) == 0 {
			return proven && !s.referred, nil
		}
		paging = goldap.NewControlPaging(size)
		paging.SetCookie(cookie)
	}
}

// page reads one page. proven says that the server closed it: go-ldap tells a cancelled read by nothing at all.
func (s *stream) page(paging *goldap.ControlPaging) (cookie []byte, proven bool, err error) {
	r := s.search([]goldap.Control{paging})
	for s.next(r) {
		if e := r.Entry(); e != nil {
			if err := s.entry(e); err != nil {
				return nil, false, err
			}
			continue
		}
		if r.Referral() != "" {
			s.referred = true
		}
		if p, ok := goldap.FindControl(r.Controls(), goldap.ControlTypePaging).(*goldap.ControlPaging); ok {
			cookie, proven = p.Cookie, true
		}
	}
	return cookie, proven, s.err(r)
}

// search starts a search on the stream's own connection, with a new request: go-ldap changes requests that are used twice.
func (s *stream) search(controls []goldap.Control) goldap.Response {
	return s.conn.SearchAsync(s.ctx, s.request(controls), streamBuffer)
}

func (s *stream) request(controls []goldap.Control) *goldap.SearchRequest {
	return goldap.NewSearchRequest(foldDN(s.c.base(s.typ)), goldap.ScopeWholeSubtree, goldap.NeverDerefAliases, 0, 0, false,
		s.c.filter(s.typ), s.c.requested(s.d, s.typ, s.wanted), controls)
}

// next waits for the server, no longer than the timeout.
func (s *stream) next(r goldap.Response) bool {
	s.watch.Reset(s.c.timeout)
	defer s.watch.Stop()
	return r.Next()
}

// err is what ended a search; nil only when nothing speaks against its having ended well.
func (s *stream) err(r goldap.Response) error {
	op := "read " + s.typ + "s below " + foldDN(s.c.base(s.typ))
	if s.ctx.Err() != nil {
		return fail(op, errors.Join(context.Cause(s.ctx), s.ctx.Err()))
	}
	if r.Err() != nil {
		return fail(op, r.Err())
	}
	if s.conn.IsClosing() || s.conn.GetLastError() != nil {
		return fail(op, goldap.NewError(goldap.ErrorNetwork, errors.Join(errors.New("the connection was lost"), s.conn.GetLastError())))
	}
	return nil
}

func (s *stream) entry(e *goldap.Entry) error {
	o, err := s.c.object(s.d, s.typ, e, s.wanted)
	if err != nil {
		return err
	}
	if s.total++; s.total > maxEntries {
		return &provisioning.Error{Kind: provisioning.ErrTooLarge, Op: "read " + s.typ + "s", Body: "the server does not come to an end"}
	}
	return s.out.object(o)
}

func (c *Connector) base(typ string) *goldap.DN {
	if typ == provisioning.TypeGroup {
		return c.settings.groupBase
	}
	return c.settings.userBase
}

// filter finds all objects of a type, by its most special class.
func (c *Connector) filter(typ string) string {
	classes := c.settings.userClasses
	if typ == provisioning.TypeGroup {
		classes = c.settings.groupClasses
	}
	class := classes[len(classes)-1]
	if class == "user" { // of Active Directory, where computers are users too
		return and(equals("objectClass", class), "(!(objectClass=computer))")
	}
	return equals("objectClass", class)
}
