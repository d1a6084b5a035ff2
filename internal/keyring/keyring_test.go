package keyring_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/provost-id/provost/internal/keyring"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
)

func ring(t *testing.T, fill byte) *keyring.Ring {
	t.Helper()
	r, err := keyring.New(bytes.Repeat([]byte{fill}, keyring.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealOpensOnlyAsSealed(t *testing.T) {
	r := ring(t, 1)
	rapid.Check(t, func(rt *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(rt, "plain")
		context := rapid.String().Draw(rt, "context")
		sealed := r.Seal("test", context, plain)
		if got, err := r.Unseal("test", context, sealed); err != nil || !bytes.Equal(got, plain) {
			rt.Fatalf("got %q, %v", got, err)
		}
		if len(plain) > 8 && bytes.Contains(sealed, plain) {
			rt.Fatal("the plain text stands in the sealed value")
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(rt, "at")
		changed := bytes.Clone(sealed)
		changed[at] ^= 1
		for name, open := range map[string]func() ([]byte, error){
			"changed":         func() ([]byte, error) { return r.Unseal("test", context, changed) },
			"truncated":       func() ([]byte, error) { return r.Unseal("test", context, sealed[:at]) },
			"other purpose":   func() ([]byte, error) { return r.Unseal("best", context, sealed) },
			"other context":   func() ([]byte, error) { return r.Unseal("test", context+"x", sealed) },
			"other master":    func() ([]byte, error) { return ring(t, 2).Unseal("test", context, sealed) },
			"nothing":         func() ([]byte, error) { return r.Unseal("test", context, nil) },
			"longer by a bit": func() ([]byte, error) { return r.Unseal("test", context, append(bytes.Clone(sealed), 0)) },
		} {
			if got, err := open(); !errors.Is(err, keyring.ErrUnseal) || got != nil {
				rt.Fatalf("%s: got %q, %v", name, got, err)
			}
		}
	})
}

func TestSealTwiceDiffers(t *testing.T) {
	r := ring(t, 1)
	if bytes.Equal(r.Seal("a", "", []byte("x")), r.Seal("a", "", []byte("x"))) {
		t.Error("the same nonce twice")
	}
}

func TestDerivedKeysAreTheirOwn(t *testing.T) {
	r := ring(t, 1)
	a := r.Derive("a")
	a[0] ^= 1 // a caller's copy
	if bytes.Equal(a, r.Derive("a")) || bytes.Equal(r.Derive("a"), r.Derive("b")) || bytes.Equal(r.Derive("a"), ring(t, 2).Derive("a")) {
		t.Error("a derived key is shared, or that of another purpose or master")
	}
	if bytes.Equal(r.Hash("a", "s"), r.Hash("b", "s")) || !bytes.Equal(r.Hash("a", "s"), r.Hash("a", "s")) {
		t.Error("hashes do not depend on the purpose, or on more than it")
	}
}

func TestRingIsNotPrinted(t *testing.T) {
	r := ring(t, 'K')
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("ring", r))
	for _, text := range []string{log.String(), fmt.Sprint(r), fmt.Sprintf("%v %s %+v", r, r, r)} {
		if strings.Contains(text, "KKK") || strings.Contains(text, "75 75") {
			t.Errorf("the master key is printed: %s", text)
		}
	}
}

func TestLoadMakesTheFileOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	var wg sync.WaitGroup
	rings := make([]*keyring.Ring, 8)
	for i := range rings {
		wg.Go(func() {
			r, err := keyring.Load("file:" + path)
			if err != nil {
				t.Error(err)
			}
			rings[i] = r
		})
	}
	wg.Wait()
	for _, r := range rings {
		if r == nil || !bytes.Equal(r.Derive("x"), rings[0].Derive("x")) {
			t.Fatal("two processes made two keys")
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file: %v, %v", info, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); len(entries) != 1 || err != nil {
		t.Errorf("left beside it: %v, %v", entries, err)
	}
}

func TestLoadForms(t *testing.T) {
	const hexa = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	const base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	raw := make([]byte, keyring.KeySize)
	for i := range raw {
		raw[i] = byte(i)
	}
	want, err := keyring.New(raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"hex": hexa, "base64": base64 + "\n", "raw": string(raw), "unpadded": strings.TrimRight(base64, "=")} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := keyring.Load("file:" + path)
		if err != nil || !bytes.Equal(r.Derive("x"), want.Derive("x")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv("TEST_MASTER_KEY", hexa)
	if r, err := keyring.Load("env:TEST_MASTER_KEY"); err != nil || !bytes.Equal(r.Derive("x"), want.Derive("x")) {
		t.Errorf("env: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "short": "AAEC", "text": strings.Repeat("hunter2 ", 20)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "open"), make([]byte, keyring.KeySize), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "open"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_MASTER_KEY", "hunter2")
	for spec, want := range map[string]string{
		"":                             "want file:PATH or env:NAME",
		"file:":                        "want file:PATH or env:NAME",
		"vault:x":                      "want file:PATH or env:NAME",
		"file:" + dir + "/empty":       "does not hold",
		"file:" + dir + "/short":       "does not hold",
		"file:" + dir + "/text":        "does not hold",
		"file:" + dir + "/open":        "open to others",
		"file:" + dir + "/no/such/dir": "no such file",
		"file:" + dir:                  "is",
		"env:TEST_MASTER_KEY":          "does not hold",
		"env:TEST_NO_SUCH_KEY":         "is not set",
	} {
		_, err := keyring.Load(spec)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line that says %q", spec, err, want)
		}
	}
}

func TestCheckTellsAWrongKey(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for range 2 {
			if err := ring(t, 1).Check(t.Context(), db); err != nil {
				t.Fatal(err)
			}
		}
		if err := ring(t, 2).Check(t.Context(), db); !errors.Is(err, keyring.ErrWrongKey) {
			t.Errorf("another key: %v, want ErrWrongKey", err)
		}
		if err := ring(t, 1).Check(t.Context(), db); err != nil {
			t.Errorf("the right key after the wrong one: %v", err)
		}
	})
}
