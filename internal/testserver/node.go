package testserver

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// startNode runs a script of .ci/npm, which needs a module and prints its URL first.
func startNode(ctx context.Context, script, module string, env ...string) (p *process, url string, err error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, "", errors.New("node is not installed: run make deps")
	}
	dir := filepath.Join(repository(), ".ci", "npm")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", module)); err != nil {
		return nil, "", errors.New(module + " is not installed in .ci/npm: run make deps")
	}
	cmd := exec.Command(node, script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	// It ends by itself when its standard input does.
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, "", err
	}
	if p, err = startProcess(cmd); err != nil {
		return nil, "", err
	}
	err = p.until(ctx, func() error {
		first, _, ok := strings.Cut(p.out.String(), "\n")
		if !ok || !strings.HasPrefix(first, "http://127.0.0.1:") {
			return errors.New("no URL yet")
		}
		url = first
		return nil
	})
	if err != nil {
		p.stop()
	}
	return p, url, err
}
