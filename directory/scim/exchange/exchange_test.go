package exchange_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/provost-id/provost/directory/scim/exchange"
)

// toy is a server of a kind: it gives what is posted an id, a time and a version, so
// that two of them answer differently.
func toy(t *testing.T, prefix string) *httptest.Server {
	t.Helper()
	n, users := 0, map[string]int{}
	mux := http.NewServeMux()
	write := func(w http.ResponseWriter, status int, id string) {
		w.Header().Set("Content-Type", "application/scim+json")
		w.Header().Set("ETag", fmt.Sprintf(`W/"%s%d"`, prefix, users[id]))
		w.Header().Set("Set-Cookie", "session=very-secret-session")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"schemas":["u"],"id":%q,"userName":"ana","active":true,"meta":{"resourceType":"User","created":"2026-11-24T12:00:%02d.5Z",
			"version":"W/\"%s%d\"","location":"https://%s.example/scim/v2/Users/%s"}}`, id, n, prefix, users[id], prefix, id)
	}
	mux.HandleFunc("POST /scim/v2/Users", func(w http.ResponseWriter, r *http.Request) {
		n++
		id := fmt.Sprintf("%s-%08d", prefix, n)
		users[id] = 1
		write(w, http.StatusCreated, id)
	})
	mux.HandleFunc("GET /scim/v2/Users/{id}", func(w http.ResponseWriter, r *http.Request) {
		if users[r.PathValue("id")] == 0 {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, `{"schemas":["e"],"status":"404","detail":"request %s-%d"}`, prefix, n)
			return
		}
		write(w, http.StatusOK, r.PathValue("id"))
	})
	mux.HandleFunc("PATCH /scim/v2/Users/{id}", func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if r.Header.Get("If-Match") != fmt.Sprintf(`W/"%s%d"`, prefix, users[id]) {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		users[id]++
		write(w, http.StatusOK, id)
	})
	mux.HandleFunc("GET /scim/v2/Users", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"totalResults":%d,"Resources":[],"nextCursor":"%s+cursor/%d"}`, len(users), prefix, n)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

const token = "00bearer-of-a-secret"

// record sends requests through a recorder to a toy and returns the name of the file.
func record(t *testing.T, limit int64, requests func(base string)) (file string, r *exchange.Recorder) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "out.json")
	w, err := exchange.Create(file, exchange.Header{Client: "a test", Origin: exchange.Recorded}, limit)
	if err != nil {
		t.Fatal(err)
	}
	upstream, err := url.Parse(toy(t, "first").URL + "/scim/v2")
	if err != nil {
		t.Fatal(err)
	}
	r = exchange.NewRecorder(upstream, nil, w, slog.New(slog.DiscardHandler))
	s := httptest.NewServer(r)
	defer s.Close()
	requests(s.URL)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file, r
}

func call(t *testing.T, method, target, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Cookie", "session=very-secret-session")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// session is a conversation that uses what the answers said.
func session(t *testing.T) func(base string) {
	return func(base string) {
		_, _ = call(t, "GET", base+"/Users?count=2", "")
		_, body := call(t, "POST", base+"/Users", `{"userName":"ana","password":"hunter2-hunter2","z":1,"a":{"clientSecret":["s3cret-thing",4711]}}`, "User-Agent", "Test 1.0")
		id := strings.Split(strings.Split(body, `"id":"`)[1], `"`)[0]
		resp, _ := call(t, "GET", base+"/Users/"+id, "")
		_, _ = call(t, "PATCH", base+"/Users/"+id, `{"Operations":[{"value":"hunter3-hunter3","op":"replace","path":"password"},{"op":"add","value":{"manager":{"value":"`+id+`"}}}]}`,
			"If-Match", resp.Header.Get("ETag"))
		_, _ = call(t, "PATCH", base+"/Users/"+id, `{"Operations":[]}`, "If-Match", `W/"none"`)
		_, list := call(t, "GET", base+"/Users?access_token="+token+"&filter="+url.QueryEscape(`password eq "hunter2-hunter2"`)+"&", "")
		cursor := strings.Split(strings.Split(list, `"nextCursor":"`)[1], `"`)[0]
		_, _ = call(t, "GET", base+"/Users?cursor="+url.QueryEscape(cursor), "")
		_, _ = call(t, "GET", base+"/Users/nobody", "")
	}
}

func TestRecordAndPlay(t *testing.T) {
	file, r := record(t, 1<<20, session(t))
	if r.Lost() != 0 {
		t.Errorf("%d exchanges lost", r.Lost())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter", "s3cret-thing", "4711", token, "very-secret-session", "Authorization", "Cookie", "first-0", "first.example", "first+cursor", "first%2Bcursor"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q stands in the file:\n%s", secret, text)
		}
	}
	f, err := exchange.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Exchanges) != 8 || f.Exchanges[1].Request.Header["User-Agent"] != "Test 1.0" || !strings.HasSuffix(f.Exchanges[5].Request.Path, "&") {
		t.Errorf("file: %s", text)
	}
	if body := string(f.Exchanges[1].Request.Body); !strings.HasPrefix(body, `{"userName":"ana","password":"{{password}}","z":1`) {
		t.Errorf("the order of the members is lost: %s", body)
	}
	// Another server, with other ids, versions and cursors, answers the same.
	second := toy(t, "second")
	p := exchange.Player{Base: second.URL + "/scim/v2", Token: token}
	if err := p.Play(t.Context(), f); err != nil {
		t.Error(err)
	}
	if len(p.Created) != 0 { // the toy tells no Location
		t.Errorf("created %q", p.Created)
	}
	f.Exchanges[2].Response.Body = []byte(`{"userName":"ben","active":null,"nickName":"x"}`)
	err = (&exchange.Player{Base: second.URL + "/scim/v2"}).Play(t.Context(), f)
	for _, want := range []string{"exchange 3", `/userName: got "ana", want "ben"`, "/active: got true, want none", "/nickName: it is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a difference that says %q", err, want)
		}
	}
}

// TestFileIsWholeAtAnyTime: a recorder that is killed leaves a file that can be played.
func TestFileIsWholeAtAnyTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.json")
	w, err := exchange.Create(file, exchange.Header{Client: "a test", Origin: exchange.Recorded}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		f, err := exchange.Load(file)
		if err != nil || len(f.Exchanges) != i {
			t.Fatalf("after %d: %+v, %v", i, f, err)
		}
		if err := w.Append(exchange.Exchange{Request: exchange.Request{Method: "GET", Path: "/Users"}, Response: exchange.Response{Status: 200}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := exchange.Create(file, exchange.Header{}, 1<<20); err == nil {
		t.Error("a file that exists was overwritten")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = exchange.Parse(text[:len(text)-30])
	if err == nil || !strings.Contains(err.Error(), "ends inside") {
		t.Errorf("a torn file: %v", err)
	}
}

func TestFileIsBounded(t *testing.T) {
	file, r := record(t, 700, session(t))
	info, err := os.Stat(file)
	if err != nil || info.Size() > 700 || r.Lost() == 0 {
		t.Errorf("%d bytes, %d lost, %v", info.Size(), r.Lost(), err)
	}
	if _, err := exchange.Load(file); err != nil {
		t.Error(err)
	}
}

// TestWhatCannotBeKeptGoesThrough: the client notices nothing.
func TestWhatCannotBeKeptGoesThrough(t *testing.T) {
	_, r := record(t, 1<<20, func(base string) {
		for _, body := range []string{`{"userName":`, `{"userName":"` + strings.Repeat("x", 2<<20) + `"}`, strings.Repeat(`[`, 200) + strings.Repeat(`]`, 200)} {
			if resp, _ := call(t, "POST", base+"/Users", body); resp.StatusCode != http.StatusCreated {
				t.Errorf("status %d", resp.StatusCode)
			}
		}
	})
	if r.Lost() != 3 {
		t.Errorf("%d lost, want 3", r.Lost())
	}
}

func TestParseRefuses(t *testing.T) {
	const head = `{"format":1,"client":"c","origin":"recorded"`
	for name, text := range map[string]string{
		"nothing": ``, "another format": `{"format":2,"origin":"recorded","exchanges":[]}`, "no origin": `{"format":1,"exchanges":[]}`,
		"unknown member": head + `,"exchange":[]}`, "unknown member of a request": head + `,"exchanges":[{"request":{"url":"/"}}]}`,
		"something behind": head + `,"exchanges":[]}{}`, "text": `exchanges`,
	} {
		if f, err := exchange.Parse([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestPlayStopsWithoutAValue(t *testing.T) {
	f, err := exchange.Parse([]byte(`{"format":1,"client":"c","origin":"recorded","exchanges":[{"request":{"method":"GET","path":"/Users/{{bob}}"},"response":{"status":200}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := (&exchange.Player{Base: "http://127.0.0.1:1"}).Play(t.Context(), f); err == nil || !strings.Contains(err.Error(), "{{bob}} has no value") {
		t.Error(err)
	}
}
