package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provost-id/provost/directory/transfer"
)

// How often progress is shown: a bar on a terminal, and a line elsewhere.
const (
	barEvery  = 200 * time.Millisecond
	lineEvery = 10 * time.Second
)

// progress shows on standard error how far a command is.
type progress struct {
	w        io.Writer // nil shows nothing
	terminal bool
	stage    string
	began    time.Time // of the stage
	from     int64     // what was done when it began
	shown    time.Time
	width    int
}

// newProgress shows a bar on a terminal, lines where there is none, and nothing there
// when a program reads the outcome.
func newProgress(cmd *cobra.Command) *progress {
	p := &progress{w: cmd.ErrOrStderr()}
	if f, ok := p.w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON && !p.terminal { // the flag is on every command
		p.w = nil
	}
	return p
}

func (p *progress) show(at transfer.Progress) {
	now := time.Now()
	if at.Stage != p.stage {
		p.stage, p.began, p.from, p.shown = at.Stage, now, at.Records, now
	}
	every := lineEvery
	if p.terminal {
		every = barEvery
	}
	if p.w == nil || now.Sub(p.shown) < every {
		return
	}
	p.shown = now
	text := p.text(at, now.Sub(p.began))
	if !p.terminal {
		_, _ = fmt.Fprintln(p.w, text) // nothing depends on it
		return
	}
	pad := max(p.width-len(text), 0)
	p.width = len(text)
	_, _ = fmt.Fprint(p.w, "\r"+text+strings.Repeat(" ", pad)) // as above
}

// text is "import  120,000 rows  4,100/s  [#####     ] 48%  ETA 32s".
func (p *progress) text(at transfer.Progress, elapsed time.Duration) string {
	text := fmt.Sprintf("%s  %d rows  %.0f/s", at.Stage, at.Records, float64(at.Records-p.from)/max(elapsed.Seconds(), 0.001))
	if at.Total <= 0 || at.Done <= 0 {
		return text
	}
	const cells = 24
	part := min(float64(at.Done)/float64(at.Total), 1)
	filled := int(part * cells)
	left := time.Duration(float64(elapsed) * (1/part - 1)).Round(time.Second)
	return fmt.Sprintf("%s  [%s%s] %.0f%%  ETA %s", text, strings.Repeat("#", filled), strings.Repeat(" ", cells-filled), 100*part, left)
}

// done leaves the line of the bar.
func (p *progress) done() {
	if p.w != nil && p.terminal && p.width > 0 {
		_, _ = fmt.Fprint(p.w, "\r"+strings.Repeat(" ", p.width)+"\r") // nothing depends on it
	}
}
