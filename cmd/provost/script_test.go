package main

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/provost-id/provost/internal/story"
	"github.com/provost-id/provost/internal/testserver"
)

// TestMain makes this program the command provost of the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"provost": main})
}

// TestScript runs the whole program by the scripts of testdata/script.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serveInScript, "stop": stopInScript, "mode": fileMode, "listen": listenInScript, "slapd": slapdInScript,
		},
	})
}

// serveInScript starts a server in the background: serve DIR [FLAG...]. It sets URL,
// TOKEN and CURL. The server ends by stop, or with the script.
func serveInScript(ts *testscript.TestScript, _ bool, args []string) {
	binary, err := lookPath(ts.Getenv("PATH"), "provost")
	ts.Check(err)
	s, err := story.Start(context.Background(), binary, ts.MkAbs(args[0]), args[1:]...)
	ts.Check(err)
	stop := sync.OnceValue(s.Stop)
	servers.Store(ts, stop)
	ts.Defer(func() { ts.Check(stop()) })
	ts.Setenv("URL", s.URL)
	ts.Setenv("TOKEN", s.Token)
	ts.Setenv("CURL", s.Curl)
}

// servers are the running servers: the stop function of each script.
var servers sync.Map

// stopInScript stops the server of the script.
func stopInScript(ts *testscript.TestScript, _ bool, _ []string) {
	stop, _ := servers.Load(ts)
	ts.Check(stop.(func() error)())
}

// slapdInScript starts slapd with the organisation of testdata and sets LDAP, its URL.
func slapdInScript(ts *testscript.TestScript, _ bool, _ []string) {
	s, err := testserver.StartSlapd(context.Background(), ts.MkAbs("slapd"), testserver.SlapdOptions{})
	ts.Check(err)
	ts.Defer(s.Stop)
	ts.Setenv("LDAP", s.URL)
}

func lookPath(path, name string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if p := filepath.Join(dir, name); isFile(p) {
			return p, nil
		}
	}
	return "", fs.ErrNotExist
}

func isFile(p string) bool {
	info, err := os.Stat(p)
	return err == nil && !info.IsDir()
}

// fileMode checks permissions: mode 0600 FILE.
func fileMode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := info.Mode().Perm(); got != fs.FileMode(want) {
		ts.Fatalf("%s has mode %o, want %o", args[1], got, want)
	}
}

// listenInScript takes a port and sets it as the variable of the first argument.
func listenInScript(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ts.Check(l.Close()) })
	ts.Setenv(args[0], strings.TrimPrefix(l.Addr().String(), "127.0.0.1:"))
}
