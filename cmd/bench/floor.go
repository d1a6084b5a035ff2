package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// floorProcess is this program again, as the least that could answer.
type floorProcess struct {
	cmd *exec.Cmd
	url string
}

// startFloor starts a floor that listens and prints its URL.
func startFloor(ctx context.Context, name string, size int) (*floorProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f := &floorProcess{cmd: exec.CommandContext(ctx, self, "-floor", name, "-size", strconv.Itoa(size))}
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	f.url = strings.TrimSpace(line)
	return f, err
}

func (f *floorProcess) pid() int { return f.cmd.Process.Pid }

func (f *floorProcess) stop() {
	_ = f.cmd.Process.Kill() // a floor holds nothing
	_ = f.cmd.Wait()         // "signal: killed" is what was asked for
}

// beFloor is one of the processes that are measured: a floor that serves until it is
// killed, or one that runs once.
func beFloor(ctx context.Context, name string, size int, o tablesOptions) error {
	switch name {
	case "tables":
		return tablesFloor(ctx, o)
	case "ldap":
		return readAll(ctx)
	}
	h, err := floorHandler(name, size)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", l.Addr())
	return (&http.Server{Handler: h, ReadHeaderTimeout: readHeaderTimeout}).Serve(l)
}

func floorHandler(name string, size int) (http.Handler, error) {
	switch name {
	case "body":
		return fixedBody(size), nil
	case "sign":
		return signer()
	}
	return nil, errors.New("no floor " + name)
}

// fixedBody answers with a body of the same size as the real one.
func fixedBody(size int) http.Handler {
	body := []byte(strings.Repeat("x", size))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		_, _ = w.Write(body) // the caller checks what it got
	})
}

// signer parses the form and signs a token of the real one's size with ES256.
func signer() (http.Handler, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	payload := []byte(strings.Repeat("x", tokenPayload))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		digest := sha256.Sum256(payload)
		sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":"%s.%s","token_type":"Bearer","expires_in":3600}`,
			base64.RawURLEncoding.EncodeToString(payload), base64.RawURLEncoding.EncodeToString(sig))
	}), nil
}
