package main

import (
	"github.com/provost-id/provost/plugins"
	hooks "github.com/provost-id/provost/plugins/manage"
	"github.com/provost-id/provost/plugins/process"
	"github.com/provost-id/provost/plugins/webhook"
)

// wireHooks names the two transports and puts the dispatcher over the configured hooks.
func (p *program) wireHooks() {
	transports := map[string]plugins.Transport{
		// The dispatcher bounds each call; the client has no deadline of its own.
		plugins.ChannelHTTP:   webhook.Transport(p.outbound(0)),
		plugins.ChannelPlugin: process.Transport(process.Options{Log: p.log, Dir: p.dir.hooks()}),
	}
	p.hooks = hooks.New(p.db, p.keys, transports)
	p.hooks.AllowHTTP, p.hooks.Log = p.cfg.outboundAllow, p.log
	p.dispatcher = &plugins.Dispatcher{Lookup: p.hooks.Lookup, Transports: transports, Report: p.hooks.Report}
}
