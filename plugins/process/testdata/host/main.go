// Command host starts the plugin of its arguments, in a folder: folder, path, checksum
// and the plugin's own. It prints the answer to one call; then it waits to be killed.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/process"
)

func main() {
	transport := process.Transport(process.Options{Dir: os.Args[1]})
	caller, err := transport(plugins.Hook{Channel: plugins.Channel{
		Type:   plugins.ChannelPlugin,
		Plugin: plugins.PluginChannel{Path: os.Args[2], SHA256: os.Args[3], Args: os.Args[4:]},
	}})
	if err != nil {
		panic(err)
	}
	answer, err := caller.Call(context.Background(), []byte(`{"eventType":"com.okta.oauth2.tokens.transform"}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(string(answer))
	time.Sleep(time.Minute)
}
