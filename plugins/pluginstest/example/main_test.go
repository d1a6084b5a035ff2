package main

import (
	"testing"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/pluginstest"
)

func TestHook(t *testing.T) {
	pluginstest.Run(t, plugins.Hooks{Token: departments{"ada@example.com": "engineering"}})
}
