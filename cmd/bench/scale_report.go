package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"
)

// report is what a run came to. It gates nothing: a target missed is a line that says so.
type report struct {
	When     string `json:"when"`
	Database string `json:"database"`
	Users    int    `json:"users"`
	Minutes  int    `json:"minutes"`
	CPUs     int    `json:"cpus"`
	Go       string `json:"go"`
	Lines    []line `json:"lines"`
}

// line is one comparison. Ratio is ours by the floor's, of CPU where both have it.
type line struct {
	What   string  `json:"what"`
	Beside string  `json:"beside,omitempty"`
	Ours   figures `json:"ours"`
	Floor  figures `json:"floor,omitzero"`
	Ratio  float64 `json:"ratio,omitempty"`
	// RatioP50 is that of the median times, where CPU is compared first.
	RatioP50 float64 `json:"ratio_p50,omitempty"`
	Target   string  `json:"target"`
	Reached  *bool   `json:"reached,omitempty"` // nil where there is no target
}

type figures struct {
	CPU    float64   `json:"cpu_us,omitempty"`
	Rate   float64   `json:"per_second,omitempty"`
	P50    float64   `json:"p50_ms,omitempty"`
	P99    float64   `json:"p99_ms,omitempty"`
	Allocs float64   `json:"allocations,omitempty"`
	Fifths []float64 `json:"per_second_by_fifths,omitempty"`
	MB     float64   `json:"mb,omitempty"`
}

func newReport(so scaleOptions) *report {
	r := &report{
		When: time.Now().UTC().Format(time.RFC3339), Database: "sqlite", Users: so.users, Minutes: so.minutes,
		CPUs: runtime.NumCPU(), Go: runtime.Version(),
	}
	if so.database != "" {
		r.Database = "postgresql"
	}
	return r
}

func figuresOf(r result) figures {
	return figures{CPU: r.cpu, Rate: r.rate, P50: r.p50, P99: r.p99, Allocs: r.allocs}
}

// atMost is how many times the floor something may be; 0 where there is no target.
type atMost struct{ cpu, p50 float64 }

func (m atMost) String() string {
	switch {
	case m.cpu == 0:
		return "none on this database"
	case m.p50 == 0:
		return fmt.Sprintf("CPU at most %.1f times", m.cpu)
	}
	return fmt.Sprintf("CPU and p50 at most %.1f times", m.cpu)
}

// beside compares CPU and, where there is a target, the median time.
func (r *report) beside(what string, ours []result, beside string, base []result, most atMost) {
	o, b := median(ours), median(base)
	l := line{
		What: what, Beside: beside, Ours: figuresOf(o), Floor: figuresOf(b), Ratio: o.cpu / b.cpu, RatioP50: o.p50 / b.p50, Target: most.String(),
	}
	if most.cpu > 0 {
		l.Reached = new(o.cpu <= most.cpu*b.cpu && (most.p50 == 0 || o.p50 <= most.p50*b.p50))
	}
	r.add(l)
}

// times compares times alone.
func (r *report) times(what string, ours []result, beside string, base []result, factor float64) {
	o, b := median(ours), median(base)
	r.add(line{
		What: what, Beside: beside, Ours: figures{P50: o.p50}, Floor: figures{P50: b.p50}, Ratio: o.p50 / b.p50,
		Target: fmt.Sprintf("time at most %.1f times", factor), Reached: new(o.p50 <= factor*b.p50),
	})
}

func (r *report) allocations(what string, ours []result, most float64) {
	o := median(ours)
	r.add(line{
		What: what + ", allocations of the whole process", Ours: figures{Allocs: o.allocs},
		Target: fmt.Sprintf("at most %.0f", most), Reached: new(o.allocs <= most),
	})
}

// rate compares rates with what must be at least share as much.
func (r *report) rate(what string, ours, base, share float64) {
	r.add(line{
		What: what, Beside: "the bare tables in batches", Ours: figures{Rate: ours}, Floor: figures{Rate: base}, Ratio: ours / base,
		Target: fmt.Sprintf("rate at least %.1f times", share), Reached: new(ours >= share*base),
	})
}

// writes compares rates, and the last fifth with the first.
func (r *report) writes(what string, w written, floor tablesResult, share float64) {
	ours := figuresOf(w.result)
	ours.Fifths = w.perWindow[:]
	r.add(line{
		What: what, Beside: "the bare tables in group commit, no HTTP", Ours: ours,
		Floor: figures{CPU: floor.CPU, Rate: floor.Rate, P50: floor.P50, P99: floor.P99}, Ratio: w.rate / floor.Rate,
		Target: fmt.Sprintf("rate at least %.1f times", share), Reached: new(w.rate >= share*floor.Rate),
	})
	first, last := w.perWindow[0], w.perWindow[windows-1]
	r.add(line{
		What: what + ", the last fifth", Beside: "the first fifth", Ours: figures{Rate: last}, Floor: figures{Rate: first}, Ratio: last / first,
		Target: "rate at least 0.9 times", Reached: new(last >= 0.9*first),
	})
}

// least compares the rates of two kinds of writes.
func (r *report) least(what, beside string, ours, base result) {
	r.add(line{
		What: what, Beside: beside, Ours: figuresOf(ours), Floor: figuresOf(base), Ratio: ours.rate / base.rate,
		Target: "rate at least as high", Reached: new(ours.rate >= base.rate),
	})
}

func (r *report) memory(mb, most float64) {
	r.add(line{What: "RssAnon, highest", Ours: figures{MB: mb}, Target: fmt.Sprintf("at most %.0f MB", most), Reached: new(mb <= most)})
}

func (r *report) add(l line) {
	r.Lines = append(r.Lines, l)
	mark := "no verdict"
	if l.Reached != nil && *l.Reached {
		mark = "reached"
	} else if l.Reached != nil {
		mark = "MISSED"
	}
	if l.Beside == "" {
		fmt.Printf("%-52s %s | %s: %s\n", l.What, l.Ours, l.Target, mark)
		return
	}
	fmt.Printf("%-52s %s | %s: %s | ratio %.2f | %s: %s\n", l.What, l.Ours, l.Beside, l.Floor, l.Ratio, l.Target, mark)
}

// String shows what there is.
func (f figures) String() string {
	s := ""
	for _, v := range []struct {
		value float64
		unit  string
	}{{f.CPU, "µs CPU"}, {f.Rate, "/s"}, {f.P50, "ms p50"}, {f.P99, "ms p99"}, {f.Allocs, "allocations"}, {f.MB, "MB"}} {
		if v.value != 0 {
			s += fmt.Sprintf("%.1f %s ", v.value, v.unit)
		}
	}
	return s
}

// finish writes the report as JSON.
func (r *report) finish(file string) error {
	if file == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
