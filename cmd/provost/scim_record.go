package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/provost-id/provost/directory/scim/exchange"
)

// recordListen is where the recorder listens unless told: beside a server on its port.
const recordListen = "127.0.0.1:8081"

// recordLimit bounds the file that is written.
const recordLimit = 64 << 20

func scimRecordCommand() *cobra.Command {
	var upstream, out string
	h := exchange.Header{Origin: exchange.Recorded}
	cmd := &cobra.Command{
		Use:   "record --upstream https://id.example/scim/v2 --listen ADDR --out FILE",
		Short: "Stand between a SCIM client and a service, and write down what is said",
		Long: "Stand between a SCIM client and a service, and write down what is said, without credentials, passwords\n" +
			"and cookies; names and addresses of people stay. Begin with an empty service: what is not created while\n" +
			"recording is not there when the file is played. The client's base URL is that of this proxy.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			u, err := url.Parse(upstream)
			if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
				return fmt.Errorf("upstream %q: want an http or https URL", upstream)
			}
			cfg, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("listen") {
				cfg.Listen = recordListen
			}
			return record(cmd, cfg, u, out, h)
		},
	}
	cmd.Flags().StringVar(&upstream, "upstream", "", "base URL of the service")
	cmd.Flags().StringVar(&out, "out", "", "file to write; it must not exist")
	cmd.Flags().StringVar(&h.Client, "client", "", "who speaks, for the file")
	cmd.Flags().StringVar(&h.Dialect, "dialect", "", "dialect that is pinned to the token, for the file")
	required(cmd, "upstream", "out")
	return cmd
}

// record serves until the command is interrupted.
func record(cmd *cobra.Command, cfg *Config, upstream *url.URL, out string, h exchange.Header) error {
	listener, err := listenPublic(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	w, err := exchange.Create(out, h, recordLimit)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	recorder := exchange.NewRecorder(upstream, nil, w, log)
	srv := server(recorder, log)
	stopped := context.AfterFunc(cmd.Context(), func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), shutdownTimeout)
		defer cancel()
		_ = srv.Shutdown(ctx) // what is still under way is cut off by the end of the program
	})
	defer stopped()
	fmt.Fprintln(cmd.OutOrStdout(), "ready", localURL(scheme(cfg), listener.Addr()))
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(err, w.Close())
	}
	if n := recorder.Lost(); n > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%d exchanges could not be kept\n", n)
	}
	return w.Close()
}
