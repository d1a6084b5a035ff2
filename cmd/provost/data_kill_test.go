package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

// provostCommand is this test program as the command provost (see TestMain).
func provostCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Args = append([]string{"provost"}, args...)
	return cmd
}

func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	out, err := provostCommand(t, args...).CombinedOutput()
	if code, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || code.ExitCode() != 2) {
		t.Fatalf("provost %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// changing are what a second import of the same people gives another value.
var changing = regexp.MustCompile(`"lastModified":"[^"]*"|"version":"[^"]*"`)

// exported is what a directory holds, line by line in order.
func exported(t *testing.T, flags []string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "all.jsonl")
	mustRun(t, slices.Concat([]string{"data", "export", path, "--client", "seed"}, flags)...)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	for i, line := range lines {
		if strings.Contains(line, "Group") { // its members came by several changes
			lines[i] = changing.ReplaceAllString(line, "")
		}
		if strings.Contains(line, `"Administrators"`) { // each directory has its own
			lines[i] = ""
		}
	}
	slices.Sort(lines)
	return lines
}

// events counts the events of each type.
func eventCounts(t *testing.T, c sqldb.Config) map[string]int {
	t.Helper()
	db := sqldbtest.Open(t, c)
	rows, err := db.Query(t.Context(), `SELECT type, count(*) FROM events WHERE type LIKE 'user.%' OR type LIKE 'group.%' GROUP BY type`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	counts := map[string]int{}
	for rows.Next() {
		var typ string
		var n int
		if err := rows.Scan(&typ, &n); err != nil {
			t.Fatal(err)
		}
		counts[typ] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return counts
}

// An import that is killed at random points and resumed each time ends in the same
// people, groups, memberships, events and rejects as one that nobody disturbs.
func TestDataImportKilledAndResumed(t *testing.T) {
	source := []string{"--data-dir", t.TempDir()}
	mustRun(t, slices.Concat([]string{"bench", "seed", "--users", "2500", "--groups", "40", "--group-of", "2500"}, source)...)
	file := filepath.Join(t.TempDir(), "file.jsonl")
	mustRun(t, slices.Concat([]string{"data", "export", file}, source)...)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i := 100; i < len(lines); i += 500 { // bad ones here and there
		lines[i] = append([]byte("not json\n"), lines[i]...)
	}
	if err := os.WriteFile(file, bytes.Join(lines, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, database := range map[string]func() (flags []string, c sqldb.Config){
		"sqlite": func() ([]string, sqldb.Config) {
			dir := t.TempDir()
			return []string{"--data-dir", dir}, sqldb.Config{Path: filepath.Join(dir, "provost.db")}
		},
		"postgresql": func() ([]string, sqldb.Config) {
			url := sqldbtest.Schema(t)
			return []string{"--data-dir", t.TempDir(), "--database-url", url}, sqldb.Config{URL: url}
		},
	} {
		t.Run(name, func(t *testing.T) {
			made := func(flags []string) {
				mustRun(t, slices.Concat([]string{"data", "export", "--format", "jsonl"}, flags)...)
			}
			flags, whole := database()
			made(flags)
			started := time.Now()
			mustRun(t, slices.Concat([]string{"data", "import", file, "--rejects", file + ".whole"}, flags)...)
			took := time.Since(started)
			want := exported(t, flags)

			flags, pieces := database()
			made(flags)
			killed := killed(t, slices.Concat([]string{"data", "import", file, "--rejects", file + ".pieces"}, flags), took)
			if killed < 2 {
				t.Errorf("it was killed only %d times", killed)
			}
			if diff := cmp.Diff(want, exported(t, flags)); diff != "" {
				t.Errorf("undisturbed (-) and killed %d times (+):\n%s", killed, diff)
			}
			if diff := cmp.Diff(eventCounts(t, whole), eventCounts(t, pieces)); diff != "" {
				t.Errorf("events, undisturbed (-) and killed (+):\n%s", diff)
			}
			rejects := func(path string) string {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				return string(b)
			}
			if diff := cmp.Diff(rejects(file+".whole"), rejects(file+".pieces")); diff != "" {
				t.Errorf("rejects, undisturbed (-) and killed (+):\n%s", diff)
			}
		})
	}
}

// killed runs an import, kills it at random points and resumes it until it ends by
// itself. It returns how often it was killed after it had begun to work.
func killed(t *testing.T, args []string, took time.Duration) (times int) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for try := 0; ; try++ {
		resume := args
		if times > 0 {
			resume = append(slices.Clone(args), "--resume")
		}
		cmd := provostCommand(t, resume...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if try < 20 {
			pause := time.Duration(float64(took) * (0.05 + 0.3*r.Float64()))
			timer := time.AfterFunc(pause, func() { _ = cmd.Process.Kill() }) // it may have ended
			defer timer.Stop()
		}
		err := cmd.Wait()
		code, exited := errors.AsType[*exec.ExitError](err)
		switch {
		case exited && code.ExitCode() == 2, err == nil:
			return times
		case exited && code.ExitCode() == -1: // by the signal
			times++
		case exited && strings.Contains(out.String(), "was interrupted") && times > 0:
			times = 0 // it was killed before it had written that it began
		case exited && strings.Contains(out.String(), "resume it, or restart it"):
			times = max(times, 1)
		default:
			t.Fatal(fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out.String()))
		}
	}
}
