// Command provost is a self-hosted Universal Directory, provisioning engine and
// token service in one binary. This package reads the configuration, wires the
// packages together (it is the only place that names implementations) and offers
// the command line; it decides nothing about identity itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "dev"

func main() {
	os.Exit(run())
}

// run returns the exit code: 0, or 1 after one clear line on standard error, or 2 after
// one for what was done in part.
func run() int {
	syscall.Umask(0o077) // what this process writes is for its owner alone
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := rootCommand().ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "provost:", oneLine(err))
	if _, partly := errors.AsType[*partlyDone](err); partly {
		return 2
	}
	return 1
}

// partlyDone says that a command did its work but for some of what it was given.
type partlyDone struct{ what string }

func (e *partlyDone) Error() string { return e.what }
