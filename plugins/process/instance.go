package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/provost-id/provost/plugins"
)

// stopTimeout is how long a process may take to end by itself.
const stopTimeout = time.Second

// maxMessage bounds an answer on the wire: the response and its wrapper.
const maxMessage = plugins.MaxResponse + 64

// dirPrefix begins the name of a process's folder.
const dirPrefix = "provost-hook-"

// Clean removes the folders that processes of a provost that was killed left in dir.
// It is for a start, before the first call, with a dir that nobody shares.
func Clean(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, dirPrefix+"*"))
	if err != nil {
		return fmt.Errorf("look for old plugins: %w", err)
	}
	for _, d := range left {
		err = errors.Join(err, os.RemoveAll(d))
	}
	return err
}

// instance is a running process.
type instance struct {
	client *plugin.Client
	runner *processRunner
	conn   *grpc.ClientConn
	dir    string
}

// launch verifies the binary, starts it and connects to it. The process ends with
// ctx, at the latest.
func launch(ctx context.Context, c plugins.PluginChannel, o Options) (*instance, error) {
	dir, err := os.MkdirTemp(o.Dir, dirPrefix)
	if err != nil {
		return nil, fmt.Errorf("make the folder of a plugin: %w", err)
	}
	i := &instance{dir: dir}
	if err := i.start(ctx, c, o); err != nil {
		i.stop()
		return nil, startError{err}
	}
	return i, nil
}

// startError bounds the text of an error of go-plugin: it may quote what the process wrote.
type startError struct{ err error }

// Error implements error.
func (e startError) Error() string { return "start plugin: " + clip(e.err.Error()) }

// Unwrap lets errors.Is see ErrChecksum and its like.
func (e startError) Unwrap() error { return e.err }

func (i *instance) start(ctx context.Context, c plugins.PluginChannel, o Options) error {
	binary, err := install(c.Path, c.SHA256, i.dir)
	if err != nil {
		return err
	}
	i.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          plugin.PluginSet{pluginName: &hookPlugin{}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true, // ADV-80: secrets of ours stay ours
		StartTimeout:     startTimeout,
		Logger:           newLogger(o.Log),
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			i.runner, err = newRunner(ctx, binary, c.Args, spec.Env, i.dir)
			return i.runner, err
		},
	})
	protocol, err := i.client.Client()
	if err != nil {
		return err
	}
	dispensed, err := protocol.Dispense(pluginName)
	if err != nil {
		return err
	}
	conn, ok := dispensed.(*grpc.ClientConn)
	if !ok { // hookPlugin.GRPCClient returns nothing else
		return errors.New("no connection")
	}
	i.conn = conn
	return nil
}

// call makes one call; its error is a gRPC status.
func (i *instance) call(ctx context.Context, payload []byte) ([]byte, error) {
	out := &wrapperspb.BytesValue{}
	err := i.conn.Invoke(ctx, callMethod, wrapperspb.Bytes(payload), out, grpc.MaxCallRecvMsgSize(maxMessage))
	return out.GetValue(), err
}

// stop ends the process, by force when it does not go by itself, and removes what it
// left. go-plugin's graceful end waits for an answer of the plugin without limit.
func (i *instance) stop() {
	if i.runner != nil {
		force := time.AfterFunc(stopTimeout, func() { _ = i.runner.Kill(context.Background()) })
		i.client.Kill()
		force.Stop()
	}
	_ = os.RemoveAll(i.dir) // nothing of value is in it
}
