package process

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"

	"github.com/hashicorp/go-plugin/runner"
)

// processRunner runs one process for go-plugin. It stands in for go-plugin's own,
// which hands our standard input on and leaves the children of a process behind.
type processRunner struct {
	ctx            context.Context // ends the process: it is the process's own, not a call's
	cmd            *exec.Cmd
	stdout, stderr io.ReadCloser

	mu     sync.Mutex  // guards the rest
	unhook func() bool // no longer end it with ctx
	reaped bool        // its ID may belong to another now
}

var _ runner.Runner = (*processRunner)(nil)

// newRunner prepares the binary with exactly the environment of env. The process is
// killed when ctx is done.
func newRunner(ctx context.Context, binary string, args, env []string, dir string) (*processRunner, error) {
	cmd := exec.Command(binary, args...)
	cmd.Env, cmd.Dir = env, dir
	ownGroup(cmd)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	return &processRunner{ctx: ctx, cmd: cmd, stdout: stdout, stderr: stderr}, nil
}

// Start implements runner.Runner.
func (r *processRunner) Start(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.cmd.Start(); err != nil {
		return err
	}
	r.unhook = context.AfterFunc(r.ctx, func() { _ = r.Kill(context.Background()) })
	return nil
}

// Wait implements runner.AttachedRunner: it ends the children too.
func (r *processRunner) Wait(context.Context) error {
	err := r.cmd.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unhook()
	r.reaped = true
	_ = killGroup(r.cmd.Process) // mostly nobody is left
	return err
}

// Kill implements runner.AttachedRunner. Closing the pipes lets go-plugin's readers
// end although a child that left the group may hold the other ends.
func (r *processRunner) Kill(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cmd.Process == nil || r.reaped {
		return nil
	}
	err := killGroup(r.cmd.Process)
	_ = r.stdout.Close() // what it had to say no longer matters
	_ = r.stderr.Close()
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Diagnose implements runner.Runner.
func (r *processRunner) Diagnose(context.Context) string {
	return "does its main call process.Serve, and was it built for this machine?"
}

// Stdout implements runner.Runner.
func (r *processRunner) Stdout() io.ReadCloser { return r.stdout }

// Stderr implements runner.Runner.
func (r *processRunner) Stderr() io.ReadCloser { return r.stderr }

// Name implements runner.Runner.
func (r *processRunner) Name() string { return r.cmd.Path }

// ID implements runner.AttachedRunner. It is never empty: go-plugin cleans up only
// after a runner that has one.
func (r *processRunner) ID() string {
	if r.cmd.Process == nil {
		return "not started"
	}
	return strconv.Itoa(r.cmd.Process.Pid)
}

// PluginToHost implements runner.AddrTranslator: both sides see the same addresses.
func (r *processRunner) PluginToHost(network, addr string) (string, string, error) {
	return network, addr, nil
}

// HostToPlugin implements runner.AddrTranslator.
func (r *processRunner) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}
