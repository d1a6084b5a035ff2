package webhook_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provost-id/provost/plugins/webhook"
)

// harness feeds the documented verification with requests and prints what it says of each.
const harness = `
import { readFileSync } from 'node:fs'
const { secret, requests } = JSON.parse(readFileSync(0, 'utf8'))
console.log(JSON.stringify(requests.map(r => verify(r.headers, r.body, secret, r.now))))
`

// received is a request as a receiver in JavaScript sees it.
type received struct {
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Now     float64           `json:"now"`
}

// TestADV79_DocumentedVerification runs the example of docs/hooks.md on what provost
// sends: genuine, replayed, forged and old.
func TestADV79_DocumentedVerification(t *testing.T) {
	text, err := os.ReadFile("../../docs/hooks.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```js\n(.*?)```").FindSubmatch(text)
	if example == nil {
		t.Fatal("docs/hooks.md has no example in JavaScript")
	}
	genuine := receive(t)
	change := func(name, value string) received {
		r := receive(t)
		r.Headers[name] = value
		return r
	}
	tampered, old, early := receive(t), receive(t), receive(t)
	tampered.Body += " "
	old.Now += 6 * 60
	early.Now -= 6 * 60
	second := receive(t)
	second.Headers["webhook-signature"] = "v1,AAAA " + second.Headers["webhook-signature"]
	requests := []received{
		genuine, genuine, receive(t), second,
		tampered, old, early,
		change("webhook-id", "msg_x"), change("webhook-timestamp", strconv.FormatInt(time.Now().Unix()+1, 10)),
		change("webhook-timestamp", "soon"), change("webhook-signature", ""), change("webhook-signature", "v2,x"),
	}
	want := []bool{true, false, true, true, false, false, false, false, false, false, false, false}
	if diff := cmp.Diff(want, runNode(t, string(example[1])+harness, requests)); diff != "" {
		t.Errorf("accepted, -want +got:\n%s", diff)
	}
}

// receive is one genuine request.
func receive(t *testing.T) received {
	t.Helper()
	h, body := signed(t)
	r := received{Headers: map[string]string{}, Body: string(body), Now: float64(time.Now().Unix())}
	for _, name := range []string{webhook.HeaderID, webhook.HeaderTimestamp, webhook.HeaderSignature} {
		r.Headers[strings.ToLower(name)] = h.Get(name)
	}
	return r
}

func runNode(t *testing.T, program string, requests []received) []bool {
	t.Helper()
	file := filepath.Join(t.TempDir(), "verify.mjs")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(map[string]any{"secret": secret, "requests": requests})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", file)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	var got []bool
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return got
}
