package main

import (
	"time"

	"github.com/provost-id/provost/directory/feed"
	"github.com/provost-id/provost/directory/scim"
)

// wireFeed makes the event streams. Each push is bounded by the service itself.
func (p *program) wireFeed() {
	p.feed = feed.New(feed.Options{
		Dir: p.directory, Issuer: p.cfg.PublicURL + scim.Base, Client: p.outbound(outboundTimeout),
		AllowHTTP: p.cfg.outboundAllow, Log: p.log, Now: time.Now,
	})
}
