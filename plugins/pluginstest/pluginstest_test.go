package pluginstest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/plugins"
	"github.com/provost-id/provost/plugins/pluginstest"
)

var update = flag.Bool("update", false, "rewrite the golden payloads")

const goldenDir = "../../testdata/hooks"

// TestGoldenPayloads keeps the payloads as files, so that a change of the contract
// is seen as a change of JSON.
func TestGoldenPayloads(t *testing.T) {
	for name, r := range pluginstest.TokenRequests() {
		t.Run(name, func(t *testing.T) {
			got, err := json.MarshalIndent(r, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			file := filepath.Join(goldenDir, name+".json")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-file +payload\n%s", diff)
			}
			var back plugins.TokenRequest
			if err := json.Unmarshal(want, &back); err != nil {
				t.Fatal(err)
			}
			again, err := json.MarshalIndent(back, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(append(again, '\n'), want) {
				t.Errorf("the file does not survive decoding:\n%s", cmp.Diff(string(want), string(again)))
			}
		})
	}
}
