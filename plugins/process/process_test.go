package process_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/pluginstest"
	"github.com/provost-id/provost/plugins/process"
)

// Binaries that TestMain builds.
var faulty, host string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "provost-process-test-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	faulty, host = filepath.Join(dir, "faulty"), filepath.Join(dir, "host")
	for binary, source := range map[string]string{faulty: "./testdata/faulty", host: "./testdata/host"} {
		if out, err := exec.Command("go", "build", "-o", binary, source).CombinedOutput(); err != nil {
			panic(fmt.Sprintf("build %s: %v\n%s", source, err, out))
		}
	}
	code := m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// plugin is the faulty plugin with a mode.
func plugin(t *testing.T, args ...string) plugins.PluginChannel {
	t.Helper()
	return plugins.PluginChannel{Path: faulty, SHA256: sum(t, faulty), Args: args}
}

func sum(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// caller is a caller that runs in a folder of its own, which it leaves empty.
func caller(t *testing.T, c plugins.PluginChannel) *process.Process {
	t.Helper()
	dir := t.TempDir()
	made, err := process.Transport(process.Options{Dir: dir})(plugins.Hook{ID: "cal1", Channel: plugins.Channel{Plugin: c}})
	if err != nil {
		t.Fatal(err)
	}
	p, ok := made.(*process.Process)
	if !ok {
		t.Fatalf("caller is a %T", made)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	})
	return p
}

func payload(t *testing.T) []byte {
	t.Helper()
	b, err := json.Marshal(pluginstest.TokenRequests()[pluginstest.CodeFlow])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// call makes one call within the time of a token hook.
func call(t *testing.T, c plugins.Caller) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return c.Call(ctx, payload(t))
}

func debugContext(t *testing.T, answer []byte) map[string]any {
	t.Helper()
	resp, err := plugins.DecodeTokenResponse(answer)
	if err != nil {
		t.Fatal(err)
	}
	return resp.DebugContext
}

func TestSuite(t *testing.T) {
	pluginstest.Run(t, caller(t, plugin(t, "well")))
}

func TestOneProcessForAllCalls(t *testing.T) {
	p := caller(t, plugin(t, "surroundings"))
	pids := map[any]bool{}
	for range 5 {
		answer, err := call(t, p)
		if err != nil {
			t.Fatal(err)
		}
		pids[debugContext(t, answer)["pid"]] = true
	}
	if len(pids) != 1 {
		t.Errorf("five calls ran in %d processes", len(pids))
	}
}

// TestADV78_FaultsOfAnswers: what goes wrong in a call ends the call, not the process.
func TestADV78_FaultsOfAnswers(t *testing.T) {
	for mode, text := range map[string]string{
		"panic": "out of order", "fail": "my database is away", "big": "limit is less than",
	} {
		p := caller(t, plugin(t, mode))
		for range 8 { // more than the restart budget: the same process answers all
			if _, err := call(t, p); err == nil || !strings.Contains(err.Error(), text) {
				t.Fatalf("%s: %v, want %q", mode, err, text)
			}
		}
	}
	answer, err := call(t, caller(t, plugin(t, "refuse")))
	if want := `{"error":{"errorSummary":"No tokens on Sundays."}}`; err != nil || string(answer) != want {
		t.Errorf("refusal: %s %v", answer, err)
	}
}

// TestADV78_Hang: a plugin that hears no deadline holds its caller no longer than
// that, and is ended and started anew after three.
func TestADV78_Hang(t *testing.T) {
	p := caller(t, plugin(t, "stall"))
	answer, err := call(t, p)
	if err != nil {
		t.Fatal(err)
	}
	first := pidOf(t, debugContext(t, answer)["pid"])
	for i := range 3 {
		if !alive(first) {
			t.Fatalf("it was ended after %d deadlines", i)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := p.Call(ctx, payload(t))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("call %d: %v", i, err)
		}
	}
	awaitEnd(t, first)
	if answer, err = call(t, p); err != nil {
		t.Fatal(err)
	}
	if second := pidOf(t, debugContext(t, answer)["pid"]); second == first {
		t.Error("the process that hung answers")
	}
}

// TestADV80_SwappedBinary: the file was changed since it was configured.
func TestADV80_SwappedBinary(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "plugin")
	copyFile(t, faulty, binary, 0o755)
	c := plugin(t, "well")
	c.Path = binary
	running := caller(t, c)
	if _, err := call(t, running); err != nil {
		t.Fatal(err)
	}
	copyFile(t, host, binary+".new", 0o755)
	if err := os.Rename(binary+".new", binary); err != nil {
		t.Fatal(err)
	}
	if _, err := call(t, running); err != nil {
		t.Errorf("the process that was verified: %v", err)
	}
	if _, err := call(t, caller(t, c)); !errors.Is(err, process.ErrChecksum) {
		t.Errorf("started from the swapped binary: %v, want ErrChecksum", err)
	}
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, mode); err != nil { // past the umask
		t.Fatal(err)
	}
}

// TestADV80_OnlyPlugins: whoever may configure hooks runs no other program, nor one
// that others may write.
func TestADV80_OnlyPlugins(t *testing.T) {
	sleep, err := filepath.EvalSymlinks("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(t.TempDir(), "plugin")
	copyFile(t, faulty, open, 0o777)
	tests := map[string]struct {
		path string
		want error
	}{
		"another program":    {sleep, process.ErrNoPlugin},
		"provost's side":     {host, process.ErrNoPlugin},
		"writable by others": {open, process.ErrWritable},
		"no such file":       {open + ".none", os.ErrNotExist},
	}
	for name, tt := range tests {
		c := plugins.PluginChannel{Path: tt.path, SHA256: strings.Repeat("0", 64), Args: []string{"5"}}
		if _, err := os.Stat(tt.path); err == nil {
			c.SHA256 = sum(t, tt.path)
		}
		if _, err := call(t, caller(t, c)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if _, err := call(t, caller(t, plugins.PluginChannel{Path: "/dev/zero", SHA256: strings.Repeat("0", 64)})); !errors.Is(err, process.ErrNoRegular) {
		t.Errorf("a device: %v, want ErrNoRegular", err)
	}
}

// TestADV80_CrashLoop: five starts a minute, then it is left alone.
func TestADV80_CrashLoop(t *testing.T) {
	for _, mode := range []string{"crash", "exit"} {
		p := caller(t, plugin(t, mode))
		for i := range 5 {
			if _, err := call(t, p); err == nil || errors.Is(err, process.ErrBudget) {
				t.Fatalf("%s, start %d: %v", mode, i+1, err)
			} else if mode == "crash" && !errors.Is(err, plugins.ErrTemporary) {
				t.Errorf("%s, start %d: %v, want ErrTemporary", mode, i+1, err)
			}
		}
		if _, err := call(t, p); !errors.Is(err, process.ErrBudget) {
			t.Errorf("%s, the sixth start: %v, want ErrBudget", mode, err)
		}
	}
}

// TestADV80_CleanEnvironment: nothing of ours reaches the process.
func TestADV80_CleanEnvironment(t *testing.T) {
	t.Setenv("PROVOST_MASTER_KEY", "hush")
	secret, err := os.Create(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = secret.Close() }() // nothing was written
	answer, err := call(t, caller(t, plugin(t, "surroundings")))
	if err != nil {
		t.Fatal(err)
	}
	seen := debugContext(t, answer)
	env, _ := seen["env"].([]any)
	var names []string
	for _, e := range env {
		name, _, _ := strings.Cut(fmt.Sprint(e), "=")
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{
		"PLUGIN_CLIENT_CERT", "PLUGIN_MAX_PORT", "PLUGIN_MIN_PORT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_DIR", "PROVOST_PLUGIN",
	}
	if len(names) != len(want) || !slices.Equal(names, want) {
		t.Errorf("environment %v, want %v", names, want)
	}
	if seen["stdin"] != "" {
		t.Errorf("standard input is %q", seen["stdin"])
	}
	if here, _ := os.Getwd(); seen["dir"] == here {
		t.Errorf("working directory is ours: %v", here)
	}
	if files := fmt.Sprint(seen["files"]); strings.Contains(files, "master.key") {
		t.Errorf("open files: %s", files)
	}
}

// TestADV80_ChildrenEnd: what a plugin forks ends with it.
func TestADV80_ChildrenEnd(t *testing.T) {
	p := caller(t, plugin(t, "fork"))
	answer, err := call(t, p)
	if err != nil {
		t.Fatal(err)
	}
	child := pidOf(t, debugContext(t, answer)["child"])
	if !alive(child) {
		t.Fatal("the child does not run")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, child)
	if _, err := call(t, p); err == nil {
		t.Error("a closed hook answers")
	}
}

func pidOf(t *testing.T, v any) int {
	t.Helper()
	pid, err := strconv.Atoi(fmt.Sprint(v))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// alive reports whether a process runs; one that ended and was not collected does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(fields) > 0 && fields[0][0] != 'Z'
}

func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for range 100 {
		if !alive(pid) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("process %d is still alive", pid)
}

// TestCloseWhileStarting: a plugin that never gets ready does not hold up a shutdown.
func TestCloseWhileStarting(t *testing.T) {
	for _, mode := range []string{"mute", "chatter"} {
		p := caller(t, plugin(t, mode))
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		_, err := p.Call(ctx, payload(t))
		cancel()
		if err == nil || len(err.Error()) > 1100 {
			t.Errorf("%s: %v", mode, err)
		}
		began := time.Now()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 8*time.Second { // less than the time a start may take
			t.Errorf("%s: closing took %v", mode, took)
		}
	}
}

// TestRestart: a process that ended is started again, with its binary verified.
func TestRestart(t *testing.T) {
	p := caller(t, plugin(t, "surroundings"))
	answer, err := call(t, p)
	if err != nil {
		t.Fatal(err)
	}
	first := pidOf(t, debugContext(t, answer)["pid"])
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, first)
	for range 3 { // the first call may still meet the broken connection
		if answer, err = call(t, p); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if second := pidOf(t, debugContext(t, answer)["pid"]); second == first {
		t.Error("the dead process answers")
	}
}

// TestKilledHost: a plugin does not outlive a provost that was killed.
func TestKilledHost(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(host, dir, faulty, sum(t, faulty), "surroundings")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir()) // go-plugin's socket folder, which a kill leaves behind
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid := pidOf(t, debugContext(t, bytes.TrimSpace(line))["pid"])
	if !alive(pid) {
		t.Fatal("the plugin does not run")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	awaitEnd(t, pid)
	if err := process.Clean(dir); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestRunByHand: the binary says how to configure it.
func TestRunByHand(t *testing.T) {
	cmd := exec.Command(faulty, "well", "2")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := bytes.Cut(out, []byte("{"))
	var shown struct {
		Channel struct {
			Type   string
			Config plugins.PluginChannel
		}
	}
	if err := json.Unmarshal(append([]byte("{"), text...), &shown); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	got := shown.Channel.Config
	if shown.Channel.Type != plugins.ChannelPlugin || got.Path != faulty || got.SHA256 != sum(t, faulty) || !slices.Equal(got.Args, []string{"well", "2"}) {
		t.Errorf("it prints %s", out)
	}
}

func TestConfigurationFaults(t *testing.T) {
	good := plugins.PluginChannel{Path: "/opt/hook", SHA256: strings.Repeat("a", 64)}
	tests := map[string]struct {
		change func(c *plugins.PluginChannel)
		field  string
	}{
		"no path":       {func(c *plugins.PluginChannel) { c.Path = "" }, "path"},
		"relative path": {func(c *plugins.PluginChannel) { c.Path = "hook" }, "path"},
		"path upwards":  {func(c *plugins.PluginChannel) { c.Path = "/opt/../bin/sh" }, "path"},
		"no checksum":   {func(c *plugins.PluginChannel) { c.SHA256 = "" }, "sha256"},
		"short":         {func(c *plugins.PluginChannel) { c.SHA256 = "aa" }, "sha256"},
		"many args":     {func(c *plugins.PluginChannel) { c.Args = make([]string, 65) }, "args"},
		"long arg":      {func(c *plugins.PluginChannel) { c.Args = []string{strings.Repeat("x", 4097)} }, "args"},
	}
	for name, tt := range tests {
		c := good
		tt.change(&c)
		_, err := process.Transport(process.Options{})(plugins.Hook{Channel: plugins.Channel{Plugin: c}})
		var fault *plugins.ConfigError
		if !errors.As(err, &fault) || fault.Field != "channel.config."+tt.field {
			t.Errorf("%s: %v, want a fault of %s", name, err, tt.field)
		}
	}
}
