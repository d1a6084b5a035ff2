package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readLDIF reads everything as text: a record, or a fault that begins with "!".
func readLDIF(t testing.TB, l *ldifReader) (records []ldifRecord, err error) {
	t.Helper()
	for {
		rec, err := l.next()
		switch fault := asFault(err); {
		case errors.Is(err, io.EOF):
			return records, nil
		case fault != nil:
			records = append(records, ldifRecord{line: fault.Line, dn: "!" + fault.Reason})
		case err != nil:
			return records, err
		default:
			records = append(records, *rec)
		}
	}
}

func TestLDIFRead(t *testing.T) {
	one := func(line int64, dn string, values ...string) ldifRecord {
		r := ldifRecord{line: line, dn: dn}
		for i := 0; i < len(values); i += 2 {
			r.values = append(r.values, ldifValue{values[i], values[i+1]})
		}
		return r
	}
	for name, test := range map[string]struct {
		in   string
		want []ldifRecord
	}{
		"rfc2849 example 1": {
			in: "version: 1\ndn: cn=Barbara Jensen, ou=Product Development, dc=airius, dc=com\nobjectclass: top\nobjectclass: person\ncn: Barbara Jensen\ndescription: A big sailing fan.\n\n" +
				"dn: cn=Bjorn Jensen, ou=Accounting, dc=airius, dc=com\nobjectclass: top\n",
			want: []ldifRecord{
				one(2, "cn=Barbara Jensen, ou=Product Development, dc=airius, dc=com", "objectclass", "top", "objectclass", "person", "cn", "Barbara Jensen", "description", "A big sailing fan."),
				one(8, "cn=Bjorn Jensen, ou=Accounting, dc=airius, dc=com", "objectclass", "top"),
			},
		},
		"folded, and a folded comment": {
			in:   "# a comment\n  goes on\ndn: cn=a\ndescription:Babs is a\n  sailing\n  fan\r\n\r\n",
			want: []ldifRecord{one(3, "cn=a", "description", "Babs is a sailing fan")},
		},
		"base64": {
			in:   "dn:: b3U95Za25qWt6YOo\nou:: 5Za25qWt6YOo\nou;lang-ja:: 5Za25qWt6YOo\nempty:\nempty::\n",
			want: []ldifRecord{one(1, "ou=営業部", "ou", "営業部", "ou;lang-ja", "営業部", "empty", "", "empty", "")},
		},
		"changetype add": {in: "dn: cn=a\nchangetype: add\ncn: a\n", want: []ldifRecord{one(1, "cn=a", "cn", "a")}},
		"refused, and the next is read": {
			in: "dn: cn=u\njpegphoto:< file:///etc/passwd\ncn: u\n\ndn: cn=d\nchangetype: delete\n\ndn: cn=c\ncontrol: 1.2.3 true\nchangetype: add\n\ncn: no dn\n\ndn: cn=b\ncn:: ***\n\n" +
				"dn: cn=n\nno colon\n\n folded nothing\n\ndn: cn=x\ndn: cn=y\n\ndn: cn=ok\ncn: ok\n",
			want: []ldifRecord{
				one(2, "!jpegphoto: a value by URL is not read"), one(6, "!changetype delete: only content is imported"),
				one(9, "!a control: only content is imported"), one(12, `!a record begins with dn:, not with "cn"`),
				one(15, "!cn: the value is no Base64"), one(18, `!"no colon" is no attribute: it has no colon`),
				one(20, "!a line begins with a space and continues nothing"),
				one(23, "!a second dn: in the record; an empty line stands between records"), one(25, "cn=ok", "cn", "ok"),
			},
		},
		"version 2": {in: "version: 2\n\ndn: cn=a\n", want: []ldifRecord{one(1, `!LDIF version "2"; 1 is known`), one(3, "cn=a")}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readLDIF(t, newLDIFReader(strings.NewReader(test.in)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(ldifRecord{}, ldifValue{})); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

// A group of very many members comes in parts, and its members are passed over by who
// does not want them.
func TestLDIFReadParts(t *testing.T) {
	var in strings.Builder
	in.WriteString("dn: cn=all\ncn: all\n")
	for i := range 2500 {
		fmt.Fprintf(&in, "member: uid=u%d\n", i)
	}
	in.WriteString("description: after\n\ndn: cn=next\ncn: next\n")
	l := newLDIFReader(strings.NewReader(in.String()))
	l.wanted = func(_ *ldifRecord, name string) bool { return name == "member" }
	l.part = 1000
	got, err := readLDIF(t, l)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []string
	for _, r := range got {
		sizes = append(sizes, fmt.Sprint(r.dn, " ", len(r.values), " ", r.more))
	}
	if diff := cmp.Diff([]string{"cn=all 1000 true", "cn=all 1000 true", "cn=all 500 false", "cn=next 0 false"}, sizes); diff != "" {
		t.Error(diff)
	}
	l = newLDIFReader(strings.NewReader(in.String()))
	l.wanted = func(_ *ldifRecord, name string) bool { return name != "member" }
	got, err = readLDIF(t, l)
	if err != nil || len(got) != 2 || len(got[0].values) != 2 {
		t.Errorf("without members: %+v, %v", got, err)
	}
}

func TestLDIFReadBounds(t *testing.T) {
	long := strings.Repeat("x", maxLine+1)
	folded := strings.Repeat(" "+strings.Repeat("x", 1<<20)+"\n", 17)
	for name, in := range map[string]string{
		"a long line":   "dn: cn=a\ncn: " + long + "\n\ndn: cn=b\n",
		"a long fold":   "dn: cn=a\ncn: x\n" + folded + "\ndn: cn=b\n",
		"a long DN":     "dn: cn=" + strings.Repeat("x", maxDN) + "\n\ndn: cn=b\n",
		"a long record": "dn: cn=a\n" + strings.Repeat("cn: x\n", maxValues+1) + "\ndn: cn=b\n",
	} {
		got, err := readLDIF(t, newLDIFReader(strings.NewReader(in)))
		if err != nil || len(got) != 2 || !strings.HasPrefix(got[0].dn, "!the ") || got[1].dn != "cn=b" {
			t.Errorf("%s: %d records, %v, %.80q %.80q", name, len(got), err, got[0].dn, got[len(got)-1].dn)
		}
	}
}

// FuzzLDIF: what is read, printed and read again is the same.
func FuzzLDIF(f *testing.F) {
	for _, seed := range []string{
		"version: 1\n\ndn: cn=a\ncn: a\n", "dn:: Y249YQ==\ncn:: /w==\n", "dn: a\nx:< file:///\n", "#c\n d\ndn: a\nb: c\n d\n e\n\n\n",
		"dn: a\nb;lang-en: c \n", "dn: a\nchangetype: delete\n\ndn: b\n", " x\n", "dn: a\n-\n", "dn:a\nb:\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := readLDIF(t, newLDIFReader(strings.NewReader(in)))
		if err != nil { // what is wrong with a record is told of it, and the next one read
			t.Fatal(err)
		}
		var out bytes.Buffer
		w := newLDIFWriter(&out)
		var want []ldifRecord
		for _, r := range got {
			if strings.HasPrefix(r.dn, "!") { // a fault, or a DN that looks like one
				continue
			}
			want = append(want, ldifRecord{dn: r.dn, values: r.values})
			_ = w.value("dn", r.dn)
			for _, v := range r.values {
				_ = w.value(v.name, v.value)
			}
			_ = w.end()
		}
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(out.String(), "\n") {
			if len(line) > ldifWidth {
				t.Fatalf("a line of %d bytes", len(line))
			}
		}
		again, err := readLDIF(t, newLDIFReader(&out))
		for i := range again {
			again[i].line = 0
		}
		if diff := cmp.Diff(want, again, cmp.AllowUnexported(ldifRecord{}, ldifValue{})); err != nil || diff != "" {
			t.Fatalf("read again (%v):\n%s", err, diff)
		}
	})
}
