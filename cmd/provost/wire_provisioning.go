package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/provost-id/provost/internal/jobs"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/provisioning"
	"github.com/provost-id/provost/provisioning/ldap"
	"github.com/provost-id/provost/provisioning/scim"
	"github.com/provost-id/provost/schemas/expr"
)

// wireProvisioning names the connectors and gives import runs to the job runner.
func (p *program) wireProvisioning() {
	p.engine = provisioning.NewEngine(p.directory, map[string]provisioning.Factory{
		"ldap":  p.ldapConnector,
		"scim2": p.scimConnector,
	}, p.log)
	p.directory.AppProfile = appProfile
	jobs.Register(p.jobs, &importWorker{engine: p.engine})
	p.jobs.Periodic("housekeep_provisioning", time.Hour, p.engine.Housekeep)
	p.engine.Enqueue = func(tx *sqldb.Tx, runID string) error {
		return p.jobs.InsertTx(tx, importArgs{RunID: runID})
	}
}

// appProfile is the profile of a kind of app, by which its mappings are checked.
func appProfile(kind string) (map[string]expr.Type, bool) {
	s, ok := map[string]provisioning.Schema{"ldap": ldap.Schema(), "scim2": scim.Schema()}[kind]
	return provisioning.ProfileTypes(s), ok
}

func (p *program) ldapConnector(_ context.Context, c provisioning.Config) (provisioning.Connector, error) {
	var o ldap.Options
	if src := c.String("userDnTemplate"); src != "" {
		dn, err := provisioning.Template(src, p.directory.UserObject())
		if err != nil {
			return nil, fmt.Errorf("userDnTemplate: %w", err)
		}
		o.DNTemplate = dn
	}
	return ldap.New(c, o)
}

func (p *program) scimConnector(_ context.Context, c provisioning.Config) (provisioning.Connector, error) {
	return scim.New(c, p.outbound(outboundTimeout))
}

// importArgs is the job of one import run.
type importArgs struct {
	RunID string `json:"run_id"`
}

// Kind implements river.JobArgs.
func (importArgs) Kind() string { return "import" }

// importTimeout is finite, because a job without a timeout is never rescued. A run
// that it cuts goes on from where it stood.
const importTimeout = 2 * time.Hour

type importWorker struct {
	river.WorkerDefaults[importArgs]
	engine *provisioning.Engine
}

// Timeout implements river.Worker.
func (*importWorker) Timeout(*river.Job[importArgs]) time.Duration { return importTimeout }

// Work implements river.Worker. An import that was stopped is no failure: it goes on
// where the next runner finds it.
func (w *importWorker) Work(ctx context.Context, job *river.Job[importArgs]) error {
	err := w.engine.WorkImport(ctx, job.Args.RunID)
	if errors.Is(err, context.Canceled) {
		return river.JobSnooze(time.Second)
	}
	return err
}
