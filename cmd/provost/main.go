// Command provost is a self-hosted Universal Directory, provisioning engine and
// token service in one binary. This package reads the configuration, wires the
// packages together (it is the only place that names implementations) and offers
// the command line; it decides nothing about identity itself.
package main

import (
	"context"
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

// run returns the exit code: 0, or 1 after one clear line on standard error.
func run() int {
	syscall.Umask(0o077) // what this process writes is for its owner alone
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := rootCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "provost:", oneLine(err))
		return 1
	}
	return 0
}
