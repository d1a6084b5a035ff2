package ldap

import (
	"context"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// Changes asks what has changed since a cookie (RFC 4533, refreshOnly). What the batches say counts only once the End has come without an
// error: a server that does not know the cookie may send everything before that shows.
func (c *Connector) Changes(ctx context.Context, r provisioning.ChangeRequest, yield func(provisioning.Batch) error) (provisioning.End, error) {
	d, err := c.ask(ctx)
	if err != nil {
		return provisioning.End{}, err
	}
	if !d.sync() {
		return provisioning.End{}, &provisioning.Error{Kind: provisioning.ErrCursorLost, Op: "follow changes", Body: d.product + " does not offer RFC 4533 with entryUUID"}
	}
	s, err := c.openStream(ctx, d, r.Type, r.Attributes, yield)
	if err != nil {
		return provisioning.End{}, err
	}
	defer s.close()
	return (&refresh{stream: s, asked: r.Cursor, cookie: r.Cursor}).run()
}

// cursor asks for a cookie before a full read, so that Changes can go on from there: what changes during the read is told again then.
// A cookie of OpenLDAP tells a point in time and not a search, so that one entry is enough to get one. Other servers give
// none this way (389 Directory Server puts the search into its cookies), and no cookie is no fault.
func (s *stream) cursor() []byte {
	if !s.d.sync() || s.d.product != openLDAP {
		return nil
	}
	control := goldap.NewControlSyncRequest(goldap.SyncRequestModeRefreshOnly, nil, false)
	r := s.conn.SearchAsync(s.ctx, goldap.NewSearchRequest(foldDN(s.c.base(s.typ)), goldap.ScopeBaseObject, goldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"1.1"}, []goldap.Control{control}), streamBuffer)
	var cookie []byte
	for s.next(r) {
		if done, ok := goldap.FindControl(r.Controls(), goldap.ControlTypeSyncDone).(*goldap.ControlSyncDone); ok && len(done.Cookie) > 0 {
			cookie = append([]byte(nil), done.Cookie...)
		}
	}
	if s.err(r) != nil {
		return nil // the read that follows says what is wrong
	}
	return cookie
}

// refresh is one refresh phase.
type refresh struct {
	*stream
	asked   []byte // the cookie that was sent
	cookie  []byte // the last one that the server gave, the old one as long as it gave none
	renewed bool   // the server gave a cookie
	told    bool   // it spoke of at least one entry
	done    bool   // SyncDone was seen: the only proof of the end
	deletes bool   // the server told the deletions; otherwise it told all that is left
}

func (f *refresh) run() (provisioning.End, error) {
	control := goldap.NewControlSyncRequest(goldap.SyncRequestModeRefreshOnly, f.asked, true)
	r := f.search([]goldap.Control{control})
	for f.next(r) {
		if err := f.message(r); err != nil {
			return provisioning.End{}, err
		}
	}
	if err := f.err(r); err != nil {
		return provisioning.End{}, err
	}
	if err := f.out.flush(); err != nil {
		return provisioning.End{}, err
	}
	op := "follow " + f.typ + "s"
	switch {
	case !f.done:
		return provisioning.End{}, &provisioning.Error{Kind: provisioning.ErrCursorLost, Op: op, Body: "no SyncDone came: this part of the directory is not synchronised"}
	case len(f.asked) > 0 && f.told && !f.renewed:
		// slapd answers a cookie that it cannot read with everything and no cookie.
		return provisioning.End{}, &provisioning.Error{Kind: provisioning.ErrCursorLost, Op: op, Body: "the server told everything and gave no cookie"}
	}
	complete := (len(f.asked) == 0 || !f.deletes) && !f.referred
	return provisioning.End{Complete: complete, Cursor: f.cookie, Total: f.total}, nil
}

func (f *refresh) message(r goldap.Response) error {
	if r.Referral() != "" {
		f.referred = true
	}
	for _, control := range r.Controls() {
		var err error
		switch v := control.(type) {
		case *goldap.ControlSyncState:
			f.keep(v.Cookie)
			err = f.state(v, r.Entry())
		case *goldap.ControlSyncInfo:
			err = f.info(v)
		case *goldap.ControlSyncDone:
			f.keep(v.Cookie)
			f.done, f.deletes = true, v.RefreshDeletes
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keep remembers a cookie. An empty one means that nothing has changed: the old one stays good.
func (f *refresh) keep(cookie []byte) {
	if len(cookie) > 0 {
		f.cookie, f.renewed = append([]byte(nil), cookie...), true
	}
}

// state takes an entry: added, changed, present or deleted (RFC 4533, section 2.3).
func (f *refresh) state(v *goldap.ControlSyncState, e *goldap.Entry) error {
	f.told = true
	id := v.EntryUUID.String()
	switch {
	case v.State == goldap.SyncStateDelete:
		return f.out.deleted(provisioning.Ref{Type: f.typ, ID: id})
	case v.State == goldap.SyncStatePresent || e == nil:
		return f.out.present(id)
	}
	return f.entry(e)
}

// info takes an intermediate message: a cookie, or a set of identifiers that were deleted or are present (RFC 4533, section 2.5).
func (f *refresh) info(v *goldap.ControlSyncInfo) error {
	switch {
	case v.NewCookie != nil:
		f.keep(v.NewCookie.Cookie)
	case v.RefreshDelete != nil:
		f.keep(v.RefreshDelete.Cookie)
	case v.RefreshPresent != nil:
		f.keep(v.RefreshPresent.Cookie)
	case v.SyncIdSet != nil:
		f.keep(v.SyncIdSet.Cookie)
		return f.idSet(v.SyncIdSet)
	}
	return nil
}

func (f *refresh) idSet(set *goldap.ControlSyncInfoSyncIdSet) error {
	for _, u := range set.SyncUUIDs {
		f.told = true
		var err error
		if set.RefreshDeletes {
			err = f.out.deleted(provisioning.Ref{Type: f.typ, ID: u.String()})
		} else {
			err = f.out.present(u.String())
		}
		if err != nil {
			return err
		}
	}
	return nil
}
