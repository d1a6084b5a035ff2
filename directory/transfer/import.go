package transfer

import (
	"context"
	"errors"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Summary is the outcome of an import.
type Summary struct {
	ID     string `json:"id,omitempty"` // of the import; none for a dry run
	File   string `json:"file"`
	Format string `json:"format"`
	Mode   string `json:"mode"`
	DryRun bool   `json:"dryRun"`
	Counts
	Rejects string        `json:"rejects,omitempty"` // path of the reject file, when there is one
	Notes   []string      `json:"notes,omitempty"`   // what else should be known
	Elapsed time.Duration `json:"-"`
}

// importer is one import under way.
type importer struct {
	dir     *directory.Directory
	o       Options
	schema  *schemas.Snapshot
	store   *sqldb.DB // of the run: that of the directory, or a scratch of a dry run
	run     *run
	change  directory.Change
	rejects *rejectFile
	manager *schemas.Text
	notes   map[string]bool
	started time.Time
}

// Import imports a file. An error says that it stopped; what was done until then is
// durable, and Resume goes on from there. Records that cannot be taken are no error.
//
// An import never changes who is in Administrators, unless the options say so.
func Import(ctx context.Context, dir *directory.Directory, c directory.Change, o Options) (s *Summary, err error) {
	im := &importer{dir: dir, o: o, schema: dir.Schemas(), store: dir.DB, change: c, notes: map[string]bool{}, started: time.Now()}
	if err := im.o.check(im.schema); err != nil {
		return nil, err
	}
	im.rejects = &rejectFile{path: rejectPath(&im.o), o: &im.o}
	if err := im.understand(); err != nil {
		return nil, err
	}
	im.report("fingerprint", 0, 0, 0)
	fingerprint, err := digest(o.Path, im.o.meaning())
	if err != nil {
		return nil, err
	}
	if o.DryRun {
		scratch, remove, err := openScratch(ctx)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, remove()) }()
		im.store = scratch
	}
	if err := sweepRuns(ctx, im.store); err != nil {
		return nil, err
	}
	if im.run, err = beginRun(ctx, im.store, &im.o, fingerprint, dir.Now()); err != nil {
		return nil, err
	}
	im.change.Client, im.change.Manage = im.o.Client, im.o.Administrators
	im.change.Source = directory.Source{Kind: directory.SourceFile, ID: im.run.id}
	return im.work(ctx)
}

// work makes both passes and sums up.
func (im *importer) work(ctx context.Context) (*Summary, error) {
	user, _ := im.schema.Type("User") // every schema has it
	var err error
	if im.manager, err = user.Text(managerName); err != nil {
		return nil, err
	}
	if err = im.pass(ctx, 1); err == nil && im.run.Deferred > 0 {
		err = im.pass(ctx, 2)
	}
	if err = errors.Join(err, im.rejects.close()); err == nil {
		err = im.run.finish(ctx, im.store, im.dir.Now())
	}
	return im.summary(), err
}

// understand finds out whether the file can be read as the options say, before anything
// is begun.
func (im *importer) understand() error {
	in, err := openInput(im.o.Path, im.o.Encoding)
	if err != nil {
		return err
	}
	_, err = im.decoder(in, 1)
	return errors.Join(err, in.Close())
}

func (im *importer) summary() *Summary {
	s := &Summary{File: im.o.Path, Format: im.o.Format, Mode: im.o.Mode, DryRun: im.o.DryRun, Counts: im.run.Counts,
		Notes: sortedKeys(im.notes), Elapsed: time.Since(im.started)}
	if !im.o.DryRun {
		s.ID = im.run.id
	}
	if im.rejects.file != nil {
		s.Rejects = im.rejects.path
	}
	return s
}

func (im *importer) report(stage string, records, done, total int64) {
	if im.o.Report != nil {
		im.o.Report(Progress{Stage: stage, Records: records, Done: done, Total: total})
	}
}

func (im *importer) decoder(in *input, pass int) (decoder, error) {
	switch im.o.Format {
	case CSV:
		t, _ := im.schema.Type(im.o.Type) // it was checked
		d, err := newCSVDecoder(in, &im.o, t)
		if err == nil {
			im.rejects.header = d.header
		}
		return d, err
	case LDIF:
		return newLDIFDecoder(in, &im.o, im.schema, pass == 2)
	}
	return newJSONDecoder(in, &im.o, im.schema), nil
}

// batchRecords and batchBytes bound what one transaction takes.
const (
	batchRecords = 500
	batchBytes   = 4 << 20
)

// batch is a run of records, and where the file stands after them.
type batch struct {
	items []*item
	links []*links
	last  int64 // the number of its last record
	at    int64 // bytes of the file
}

// pass reads the file once. One goroutine decodes the next batch while the last is
// written. What an earlier run has done is passed over, but for its rejects.
func (im *importer) pass(ctx context.Context, pass int) (err error) {
	in, err := openInput(im.o.Path, im.o.Encoding)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	dec, err := im.decoder(in, pass)
	if err != nil {
		return err
	}
	from, err := im.passed(ctx, pass)
	if err != nil {
		return err
	}
	batches := make(chan *batch, 1)
	g, both := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(batches)
		r := &reading{im: im, in: in, dec: dec, pass: pass, earlier: from.rejects}
		if err := r.passOver(both, from.done); err != nil {
			return err
		}
		return r.batches(both, batches)
	})
	g.Go(func() error {
		for b := range batches {
			if err := im.take(both, pass, b); err != nil {
				return err
			}
			im.report(stages[pass], im.run.Records, b.at, in.size)
		}
		return nil
	})
	if err := g.Wait(); err != nil || pass == 2 {
		return err
	}
	return im.nextPass(ctx)
}

var stages = map[int]string{1: "import", 2: "references"}

// earlier is what an earlier run did of a pass.
type earlier struct {
	done    int64
	rejects map[int64]reject
}

func (im *importer) passed(ctx context.Context, pass int) (earlier, error) {
	var e earlier
	switch {
	case im.run.pass > pass:
		e.done = int64(1) << 62 // all of it
	case im.run.pass == pass:
		e.done = im.run.done
	}
	if e.done == 0 {
		return e, nil
	}
	var err error
	e.rejects, err = im.run.rejects(ctx, im.store, pass)
	return e, err
}

// nextPass notes that the first pass is over.
func (im *importer) nextPass(ctx context.Context) error {
	if im.run.pass > 1 {
		return nil
	}
	to := run{id: im.run.id, pass: 2, Counts: im.run.Counts}
	err := im.store.Write(ctx, func(tx *sqldb.Tx) error { return im.run.advance(tx, to, im.dir.Now()) })
	if err == nil {
		*im.run = to
	}
	return err
}

// take deals with a batch of either pass.
func (im *importer) take(ctx context.Context, pass int, b *batch) error {
	if im.dir.Schemas() != im.schema {
		return errSchema
	}
	if pass == 1 {
		return im.takeRecords(ctx, b)
	}
	return im.takeLinks(ctx, b)
}

var errSchema = errors.New("the schema has changed while the file was imported; resume the import")

// reading is the decoding half of a pass.
type reading struct {
	im      *importer
	in      *input
	dec     decoder
	pass    int
	earlier map[int64]reject
	steps   int64 // reads, which are more than records when one comes in parts
}

// step reads on. A fault is not returned but given to the caller to judge.
func (r *reading) step() (fault *Fault, err error) {
	err = r.dec.read()
	if fault = asFault(err); fault != nil {
		err = nil
	}
	if err == nil {
		r.steps++
	}
	return fault, err
}

// passOver goes past what is done, and writes its rejects again.
func (r *reading) passOver(ctx context.Context, done int64) error {
	for r.steps < done {
		fault, err := r.step()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		x, ok := r.earlier[r.steps]
		if !ok {
			continue
		}
		raw, err := r.raw(ctx, fault)
		if err == nil {
			err = r.im.rejects.write(raw, x)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// raw is what the reject file shows of the record in hand.
func (r *reading) raw(ctx context.Context, fault *Fault) (any, error) {
	switch {
	case fault != nil:
		return nil, nil
	case r.pass == 2:
		steps, err := r.im.planLinks(ctx, []*links{r.dec.links()})
		if err != nil || len(steps) == 0 {
			return nil, err
		}
		return r.im.rawOf(steps[0]), nil
	}
	if rec := r.dec.record(); rec != nil {
		return rec.raw, nil
	}
	return nil, nil
}

// batches hands out what is left of the file.
func (r *reading) batches(ctx context.Context, out chan<- *batch) error {
	for end := false; !end; {
		b := &batch{}
		from := r.in.read.Load()
		for len(b.items)+len(b.links) < r.im.o.batch && r.in.read.Load()-from < batchBytes {
			fault, err := r.step()
			if end = errors.Is(err, io.EOF); end {
				break
			}
			if err != nil {
				return err
			}
			r.add(b, fault)
		}
		b.last, b.at = r.steps, r.in.read.Load()
		select {
		case out <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// add decodes the record in hand.
func (r *reading) add(b *batch, fault *Fault) {
	n, line := r.dec.at()
	switch {
	case r.pass == 2 && fault == nil:
		l := r.dec.links()
		l.step = r.steps
		b.links = append(b.links, l)
	case r.pass == 2:
	case fault != nil:
		b.items = append(b.items, &item{record: &record{n: n, line: line, fault: errors.New(fault.Reason)}})
	default:
		rec := r.dec.record()
		if rec == nil {
			rec = &record{n: n, line: line}
		}
		b.items = append(b.items, &item{record: rec})
	}
}
