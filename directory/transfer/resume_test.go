package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
)

// An import that was interrupted anywhere goes on to what it would have been, and does
// nothing twice.
func TestResume(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, another func() *directory.Directory) {
		populate(t, d)
		path := exportFile(t, d, "all.jsonl", ExportOptions{})
		text := read(t, path) + "not json\n" + `{"schemas":["` + membersURN + `"],"id":"00gAAAAAAAAAAAAAAAAA","members":[{"value":"x"}]}` + "\n" + "more that is none\n"
		text = strings.Replace(text, `"members":[`, `"members":[{"value":"00uNobodyNobodyNobod"},`, 1)
		path = writeFile(t, "file.jsonl", text)
		whole := another()
		want := importFile(t, whole, Options{Path: path, batch: 7})
		wantRejects := read(t, want.Rejects)
		if want.Rejected != 4 {
			t.Fatalf("%d rejects, want 4:\n%s", want.Rejected, wantRejects)
		}
		copied := another()
		var got *Summary
		stops := 0
		for stop := int64(7); got == nil; stop += 14 {
			ctx, cancel := context.WithCancel(t.Context())
			o := Options{Path: path, batch: 7, Resume: stops > 0, Report: func(p Progress) {
				if p.Stage != "fingerprint" && p.Records >= stop {
					cancel()
				}
			}}
			s, err := Import(ctx, copied, operator, o)
			cancel()
			switch {
			case err == nil:
				got = s
			case !errors.Is(err, context.Canceled):
				t.Fatalf("stop at %d: %v", stop, err)
			}
			stops++
		}
		if stops < 3 {
			t.Errorf("it was stopped only %d times", stops-1)
		}
		if diff := cmp.Diff(want.Counts, got.Counts); diff != "" {
			t.Errorf("counts of the whole (-) and in pieces (+):\n%s", diff)
		}
		if diff := cmp.Diff(contents(t, whole), contents(t, copied)); diff != "" {
			t.Errorf("whole (-) and in pieces (+):\n%s", diff)
		}
		if diff := cmp.Diff(wantRejects, read(t, got.Rejects)); diff != "" {
			t.Errorf("rejects of the whole (-) and in pieces (+):\n%s", diff)
		}
		if diff := cmp.Diff(rows(t, whole), rows(t, copied)); diff != "" {
			t.Errorf("rows of the whole (-) and in pieces (+):\n%s", diff)
		}
	})
}

// An interrupted import is neither begun again nor resumed by mistake, and two cannot
// work on the same file.
func TestResumeIsAsked(t *testing.T) {
	eachEngine(t, func(t *testing.T, d *directory.Directory, _ func() *directory.Directory) {
		var text strings.Builder
		text.WriteString("userName\n")
		for i := range 50 {
			fmt.Fprintf(&text, "u%d@example.com\n", i)
		}
		path := writeFile(t, "people.csv", text.String())
		if _, err := Import(t.Context(), d, operator, Options{Path: path, Resume: true}); !errors.Is(err, ErrNothingToResume) {
			t.Errorf("resume without a beginning: %v", err)
		}
		stop := func(o Options) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o.Path, o.batch = path, 10
			o.Report = func(p Progress) {
				if p.Records >= 10 {
					cancel()
				}
			}
			if _, err := Import(ctx, d, operator, o); !errors.Is(err, context.Canceled) {
				t.Fatalf("interrupted: %v", err)
			}
		}
		stop(Options{})
		var unfinished *UnfinishedError
		if _, err := Import(t.Context(), d, operator, Options{Path: path}); !errors.As(err, &unfinished) || unfinished.Records == 0 {
			t.Errorf("begun again by mistake: %v", err)
		}
		if _, err := Import(t.Context(), d, operator, Options{Path: path, Mode: Upsert, Resume: true}); !errors.Is(err, ErrNothingToResume) {
			t.Errorf("resumed with other options: %v", err)
		}
		stop(Options{Restart: true})
		r, err := resumed(t, d, path)
		check(t, err)
		// Somebody else goes on with the same import: the one who comes later has lost.
		check(t, d.DB.Write(t.Context(), func(tx *sqldb.Tx) error {
			to := *r
			to.done++
			return r.advance(tx, to, d.Now())
		}))
		err = d.DB.Write(t.Context(), func(tx *sqldb.Tx) error { return r.advance(tx, run{pass: 1, done: 99}, d.Now()) })
		if !errors.Is(err, errElsewhere) {
			t.Errorf("two who go on with one import: %v", err)
		}
	})
}

// resumed is the unfinished run of a file, as a process that resumes it has it.
func resumed(t *testing.T, d *directory.Directory, path string) (*run, error) {
	t.Helper()
	o := Options{Path: path, Resume: true, batch: 10}
	check(t, o.check(d.Schemas()))
	fingerprint, err := digest(path, o.meaning())
	check(t, err)
	return beginRun(t.Context(), d.DB, &o, fingerprint, d.Now())
}
