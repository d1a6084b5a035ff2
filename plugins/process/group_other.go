//go:build !unix

package process

import (
	"os"
	"os/exec"
)

// ownGroup has no counterpart here.
func ownGroup(*exec.Cmd) {}

// killGroup kills the process; its children are left alone.
func killGroup(p *os.Process) error { return p.Kill() }
