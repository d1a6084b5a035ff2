package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

var uniqueStates = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
	rivertype.JobStateRetryable, rivertype.JobStateScheduled,
}

// periodicTimeout bounds one run of periodic work.
const periodicTimeout = 15 * time.Minute

type periodicJob struct {
	name  string
	every time.Duration
	fn    func(ctx context.Context) error
}

// Periodic runs fn on one node at a time: soon after the start of the cluster, and
// then every so often. A run that fails is logged and not tried again before its
// next time; one that takes longer than every is not started twice. It is called
// before Run.
func (j *Jobs) Periodic(name string, every time.Duration, fn func(ctx context.Context) error) {
	j.periodic.jobs = append(j.periodic.jobs, periodicJob{name, every, fn})
}

type periodicArgs struct {
	Name string `json:"name"`
}

// Kind implements river.JobArgs.
func (periodicArgs) Kind() string { return "periodic" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (periodicArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: uniqueStates}}
}

// periodicWorker runs all periodic work, found by its name.
type periodicWorker struct {
	river.WorkerDefaults[periodicArgs]
	jobs []periodicJob
}

// Work implements river.Worker.
func (w *periodicWorker) Work(ctx context.Context, job *river.Job[periodicArgs]) error {
	for _, p := range w.jobs {
		if p.name != job.Args.Name {
			continue
		}
		if err := p.fn(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		return nil
	}
	return river.JobCancel(fmt.Errorf("no periodic work named %q in this version", job.Args.Name))
}

// Timeout implements river.Worker.
func (w *periodicWorker) Timeout(*river.Job[periodicArgs]) time.Duration { return periodicTimeout }

func (w *periodicWorker) schedule() []*river.PeriodicJob {
	var all []*river.PeriodicJob
	for _, p := range w.jobs {
		args := periodicArgs{Name: p.name}
		all = append(all, river.NewPeriodicJob(river.PeriodicInterval(p.every),
			func() (river.JobArgs, *river.InsertOpts) { return args, nil },
			&river.PeriodicJobOpts{RunOnStart: true}))
	}
	return all
}
