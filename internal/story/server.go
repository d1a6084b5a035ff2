package story

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Server is a running provost.
type Server struct {
	URL   string
	Ops   string // where metrics and profiles are
	Token string // the bootstrap token
	Dir   string
	Curl  string // the line that makes the first user
	cmd   *exec.Cmd
	log   *os.File
	stop  func() error // of a cluster; nil for one process
}

// Start runs `provost serve` and waits until it is ready.
func Start(ctx context.Context, binary, dir string, args ...string) (*Server, error) {
	args = append([]string{"serve", "--data-dir", dir, "--listen", "127.0.0.1:0", "--outbound-allow", "127.0.0.0/8"}, args...)
	s := &Server{Dir: dir, cmd: exec.CommandContext(ctx, binary, args...)}
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 10 * time.Second
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return nil, err
	}
	if s.log, err = os.OpenFile(dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.awaitReady(out); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	token, err := os.ReadFile(filepath.Join(dir, "bootstrap-token"))
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.Token = strings.TrimSpace(string(token))
	return s, nil
}

// awaitReady reads what serve prints until both lines are there, and drains the rest.
func (s *Server) awaitReady(out io.Reader) error {
	lines := bufio.NewScanner(out)
	for (s.URL == "" || s.Curl == "") && lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			s.URL = strings.TrimRight(url, "/")
		}
		if url, ok := strings.CutPrefix(lines.Text(), "ops "); ok {
			s.Ops = strings.TrimRight(url, "/")
		}
		if strings.HasPrefix(lines.Text(), "curl ") {
			s.Curl = lines.Text()
		}
	}
	if s.URL == "" || s.Curl == "" {
		b, _ := os.ReadFile(s.log.Name()) // best effort: it explains the failure
		return fmt.Errorf("provost did not become ready: %s", b)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
	return nil
}

// PID is the process ID of the server.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Stop ends the server by SIGTERM and waits for it.
func (s *Server) Stop() error {
	if s.stop != nil {
		return s.stop()
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
	return s.wait()
}

// Kill ends the server by SIGKILL, as a power loss would.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may be gone already
	_ = s.wait()             // "signal: killed" is what was asked for
}

func (s *Server) wait() error {
	err := s.cmd.Wait()
	return errors.Join(err, s.log.Close())
}
