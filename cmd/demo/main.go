// Command demo walks a person through the main job of provost on the terminal, on
// real servers that it starts itself: slapd, a SaaS application that speaks SCIM,
// and two provosts. It is internal/story with a voice.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/provost-id/provost/internal/story"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	start := time.Now()
	dir, err := os.MkdirTemp("", "provost-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fmt.Println("Starting slapd, a SaaS application (scimmy) and two provosts ...")
	w, err := story.Build(ctx, story.Options{Dir: dir, Say: func(format string, args ...any) {
		fmt.Printf(format+"\n", args...)
	}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	fmt.Printf("main provost   %s\nsecond provost %s\nslapd          %s\nscimmy         %s\n", w.Main.URL, w.Second.URL, w.LDAP.URL, w.SaaS.BaseURL)
	if err := w.Run(ctx); err != nil {
		return err
	}
	fmt.Printf("\nThe whole story took %.0f seconds.\n", time.Since(start).Seconds())
	return nil
}
