// Command faulty is a plugin that misbehaves as its first argument says.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/process"
)

// calls counts the calls of this process.
var calls atomic.Int64

func main() {
	mode := os.Args[1]
	switch mode {
	case "exit":
		fmt.Fprintln(os.Stderr, "I end before I begin")
		os.Exit(3)
	case "mute":
		time.Sleep(time.Hour)
	case "chatter":
		fmt.Println(strings.Repeat("x", 5000))
		time.Sleep(time.Hour)
	}
	process.Serve(plugins.Hooks{Token: plugins.TokenHookFunc(func(_ context.Context, r *plugins.TokenRequest) (*plugins.TokenResponse, error) {
		return behave(mode, r)
	})})
}

func behave(mode string, r *plugins.TokenRequest) (*plugins.TokenResponse, error) {
	switch mode {
	case "stall":
		if calls.Add(1) > 1 {
			select {} // deaf to ctx
		}
		return surroundings()
	case "crash":
		os.Exit(4)
	case "panic":
		panic("out of order")
	case "fail":
		return nil, fmt.Errorf("my database is away")
	case "refuse":
		return nil, plugins.Refuse("No tokens on Sundays.")
	case "big":
		return plugins.Respond(plugins.PatchAccess(plugins.Add("big", strings.Repeat("x", 1<<20)))), nil
	case "surroundings":
		return surroundings()
	case "fork":
		return fork()
	case "answer":
		return answer(os.Args[2], r)
	}
	return plugins.Respond(plugins.PatchAccess(plugins.Add("mode", mode))), nil
}

// surroundings tells what the process can see of provost.
func surroundings() (*plugins.TokenResponse, error) {
	in, _ := io.ReadAll(os.Stdin)
	dir, _ := os.Getwd()
	fds, _ := os.ReadDir("/proc/self/fd")
	var files []string
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, "/") {
			files = append(files, to)
		}
	}
	return &plugins.TokenResponse{DebugContext: map[string]any{
		"env": os.Environ(), "stdin": string(in), "dir": dir, "files": files, "pid": strconv.Itoa(os.Getpid()),
	}}, nil
}

// fork leaves children behind: one in its group, one that holds the pipes.
func fork() (*plugins.TokenResponse, error) {
	child := exec.Command("/bin/sleep", "600")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		return nil, err
	}
	pid, err := json.Marshal(child.Process.Pid)
	if err != nil {
		return nil, err
	}
	return &plugins.TokenResponse{DebugContext: map[string]any{"child": string(pid)}}, nil
}

// answer answers with the response of a file, and tells what request it saw.
func answer(file string, r *plugins.TokenRequest) (*plugins.TokenResponse, error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	resp, err := plugins.DecodeTokenResponse(body)
	if err != nil {
		return nil, err
	}
	resp.DebugContext = map[string]any{"request": r}
	return resp, nil
}
