package process

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"github.com/provost-id/provost/plugins"
)

// Marker stands in the binary of every plugin, as a literal; Serve puts it there.
// provost runs no file without it, so that whoever may configure hooks cannot run
// other programs of the machine. A plugin in another language carries it in a string
// or a comment.
const Marker = "provost-plugin:v1:9b1f6a2e-7d0c-4a53-8f21-3c5e0d4b6a97"

// Serve serves the hooks to the provost that started this process, and returns when
// provost ends it. It is all that a plugin's main does. What the process writes to
// standard output and standard error goes to provost's log.
//
// Started by hand, it prints the channel to configure and returns.
func Serve(hooks plugins.Hooks) {
	if os.Getenv(handshake.MagicCookieKey) != handshake.MagicCookieValue {
		if err := describe(os.Stdout, Marker); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	go endWithParent()
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake,
		Plugins:         plugin.PluginSet{pluginName: &hookPlugin{hooks: hooks}},
		GRPCServer:      plugin.DefaultGRPCServer,
		Logger:          hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
	})
}

// endWithParent ends the process when provost is gone without ending it, killed say:
// the parent is then another process.
func endWithParent() {
	parent := os.Getppid()
	for range time.Tick(time.Second) {
		if os.Getppid() != parent {
			os.Exit(1)
		}
	}
}

// describe prints what an administrator needs to configure this binary as a hook.
func describe(w io.Writer, marker string) error {
	path, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this binary: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	channel := map[string]any{
		"type": plugins.ChannelPlugin, "version": "1.0.0",
		"config": map[string]any{"path": path, "sha256": hex.EncodeToString(sum.Sum(nil)), "args": os.Args[1:]},
	}
	text, err := json.MarshalIndent(map[string]any{"channel": channel}, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\nThis is a plugin of provost, which starts it itself. Configure the hook with:\n%s\n", marker, text)
	return err
}
