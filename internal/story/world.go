package story

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/provost-id/provost/internal/testserver"
)

// Options of Build.
type Options struct {
	Binary string // a provost; built when empty
	Dir    string // folder for everything; the caller removes it
	// DatabaseURL, when set, makes the main provost two nodes on this PostgreSQL database.
	DatabaseURL string
	Say         func(format string, args ...any)
}

// Build starts the servers of the story. Close stops them, also after an error.
func Build(ctx context.Context, o Options) (w *World, err error) {
	w = &World{Say: o.Say}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if o.Binary == "" {
		if o.Binary, err = goBuild(ctx, o.Dir, "provost", "./cmd/provost"); err != nil {
			return w, err
		}
	}
	if w.Plugin, err = BuildPlugin(ctx, o.Dir); err != nil {
		return w, err
	}
	if err := w.startPeers(ctx, o.Dir); err != nil {
		return w, err
	}
	if w.Second, err = Start(ctx, o.Binary, filepath.Join(o.Dir, "second")); err != nil {
		return w, err
	}
	main := filepath.Join(o.Dir, "main")
	if o.DatabaseURL != "" {
		w.Main, _, err = StartCluster(ctx, o.Binary, main, o.DatabaseURL)
	} else {
		w.Main, err = Start(ctx, o.Binary, main)
	}
	return w, err
}

// startPeers starts slapd with the organisation of testdata, and scimmy.
func (w *World) startPeers(ctx context.Context, dir string) error {
	slapd, err := testserver.StartSlapd(ctx, filepath.Join(dir, "slapd"), testserver.SlapdOptions{})
	if err != nil {
		return err
	}
	w.onClose(func() error { slapd.Stop(); return nil })
	w.LDAP = LDAP{URL: slapd.URL, BindDN: testserver.AdminDN, Password: testserver.AdminPassword,
		UserBase: testserver.PeopleDN, GroupBase: testserver.GroupsDN}
	const token = "a-token-of-the-application"
	scimmy, err := testserver.StartScimmy(ctx, token)
	if err != nil {
		return err
	}
	w.onClose(func() error { scimmy.Stop(); return nil })
	w.SaaS = SaaS{BaseURL: scimmy.URL, Token: token}
	return nil
}

func (w *World) onClose(f func() error) { w.closers = append(w.closers, f) }

// Close stops every server of the story.
func (w *World) Close() error {
	var errs []error
	for _, s := range []*Server{w.Main, w.Second} {
		if s != nil {
			errs = append(errs, s.Stop())
		}
	}
	for _, f := range w.closers {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// BuildPlugin builds the hook plugin of the story into dir and returns its path.
func BuildPlugin(ctx context.Context, dir string) (string, error) {
	return goBuild(ctx, dir, "team-plugin", "./internal/story/testdata/team")
}

// goBuild builds a program of this repository into dir.
func goBuild(ctx context.Context, dir, name, pkg string) (string, error) {
	out := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, pkg)
	cmd.Dir = repository()
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", pkg, err, b)
	}
	return out, nil
}

// repository is the root of the source tree.
func repository() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}
