package transfer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readCSV reads everything; faults are rows that begin with "!".
func readCSV(t testing.TB, in string) (rows [][]string, lines []int64, err error) {
	t.Helper()
	c := newCSVReader(strings.NewReader(in), ',')
	for {
		fields, err := c.next()
		switch fault := asFault(err); {
		case errors.Is(err, io.EOF):
			return rows, lines, nil
		case fault != nil:
			rows, lines = append(rows, []string{"!" + fault.Reason}), append(lines, fault.Line)
		case err != nil:
			return rows, lines, err
		default:
			rows, lines = append(rows, slices.Clone(fields)), append(lines, c.begun)
		}
	}
}

func TestCSVRead(t *testing.T) {
	for name, test := range map[string]struct {
		in    string
		rows  [][]string
		lines []int64
		fails string
	}{
		"plain":          {in: "a,b\n1,2\n", rows: [][]string{{"a", "b"}, {"1", "2"}}, lines: []int64{1, 2}},
		"crlf, no end":   {in: "a,b\r\n1,2", rows: [][]string{{"a", "b"}, {"1", "2"}}, lines: []int64{1, 2}},
		"quotes":         {in: "\"a,\"\"x\",\"b\r\nc\"\r\nd,\"\"\n", rows: [][]string{{"a,\"x", "b\r\nc"}, {"d", ""}}, lines: []int64{1, 3}},
		"blank lines":    {in: "\na\n\r\n\nb\n", rows: [][]string{{"a"}, {"b"}}, lines: []int64{2, 5}},
		"an empty value": {in: "a\n\"\"\nb", rows: [][]string{{"a"}, {""}, {"b"}}, lines: []int64{1, 2, 3}},
		"empty fields":   {in: ",\n,,", rows: [][]string{{"", ""}, {"", "", ""}}, lines: []int64{1, 2}},
		"lone return":    {in: "a\rb,c\n", rows: [][]string{{"a\rb", "c"}}, lines: []int64{1}},
		"bare quote":     {in: "a\nb,c\"d\ne\n", rows: [][]string{{"a"}, {`!a quote in field 2, which does not begin with one`}, {"e"}}, lines: []int64{1, 2, 3}},
		"after a quote":  {in: "\"a\"b,c\nd\n", rows: [][]string{{"!text follows the quote that closes field 1"}, {"d"}}, lines: []int64{1, 2}},
		"return, text":   {in: "\"a\"\rb\nd\n", rows: [][]string{{"!text follows the quote that closes field 1"}, {"d"}}, lines: []int64{1, 2}},
		"never closed":   {in: "a\n\"b,c\nd\n", rows: [][]string{{"a"}}, lines: []int64{1}, fails: "line 2: field 1 begins with a quote that is not closed before the end of the file"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, lines, err := readCSV(t, test.in)
			if diff := cmp.Diff(test.rows, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.lines, lines); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			if got := errText(err); got != test.fails {
				t.Errorf("error %q, want %q", got, test.fails)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// What has no end within the bounds is told with its line and never kept whole.
func TestCSVReadBounds(t *testing.T) {
	long := strings.Repeat("x", maxLine+1)
	rows, _, err := readCSV(t, "a\n"+long+"\nb\n")
	if err != nil || len(rows) != 3 || !strings.HasPrefix(rows[1][0], "!the row is longer") {
		t.Errorf("a long row: %d rows, %v", len(rows), err)
	}
	if _, _, err := readCSV(t, "a\n\""+long+"\nb\n"); err == nil || !strings.HasPrefix(err.Error(), "line 2: field 1") {
		t.Errorf("a quote without end: %v", err)
	}
	rows, _, err = readCSV(t, strings.Repeat(",", maxFields+1)+"\nb\n")
	if err != nil || len(rows) != 2 || rows[1][0] != "b" {
		t.Errorf("too many fields: %d rows, %v", len(rows), err)
	}
	endless := io.LimitReader(repeated{}, maxLine+2*maxSkipped)
	c := newCSVReader(endless, ',')
	if _, err := c.next(); err == nil || asFault(err) != nil {
		t.Errorf("a line without end gives %v, want the end of reading", err)
	}
}

// repeated is a file of one character.
type repeated struct{}

func (repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// FuzzCSV: what is read, printed and read again is the same, and whatever encoding/csv
// can read is read as it reads it.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"a,b\r\n1,\"2\n\"\"\"\n", "\"\"\n", ",\n", "a\rb\n", "\"a\"\r\n", "é,ü\n", "=1+1,@x\n", "\"x", "a\"b\nc"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		rows, lines, err := readCSV(t, in)
		for i := 1; i < len(lines); i++ {
			if lines[i] <= lines[i-1] {
				t.Fatalf("row %d begins on line %d, the one before on %d", i, lines[i], lines[i-1])
			}
		}
		ref := csv.NewReader(strings.NewReader(in))
		ref.FieldsPerRecord = -1
		if want, refErr := ref.ReadAll(); refErr == nil && !strings.Contains(in, "\r") {
			if diff := cmp.Diff(want, rows); err != nil || diff != "" && len(want)+len(rows) > 0 {
				t.Fatalf("encoding/csv (-) and this (+), %v:\n%s", err, diff)
			}
		}
		if err != nil || slices.ContainsFunc(rows, func(r []string) bool { return strings.HasPrefix(r[0], "!") }) {
			return
		}
		var out bytes.Buffer
		w := newCSVWriter(&out, ',')
		for _, r := range rows {
			if err := w.row(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		again, _, err := readCSV(t, out.String())
		if diff := cmp.Diff(rows, again); err != nil || diff != "" {
			t.Fatalf("read again (%v):\n%s\nprinted: %q", err, diff, out.String())
		}
	})
}

func TestCSVWriteGuardsFormulas(t *testing.T) {
	for guard, want := range map[bool]string{false: "=1+1,+1 555,a\r\n", true: "'=1+1,'+1 555,a\r\n"} {
		var out bytes.Buffer
		w := newCSVWriter(&out, ',')
		w.guard = guard
		if err := w.row([]string{"=1+1", "+1 555", "a"}); err != nil {
			t.Fatal(err)
		}
		_ = w.flush()
		if out.String() != want {
			t.Errorf("guard %v: %q, want %q", guard, out.String(), want)
		}
	}
}
