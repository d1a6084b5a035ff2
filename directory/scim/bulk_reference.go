package scim

import (
	"bytes"
	"encoding/json"
	"strings"
)

// bulkIDPrefix begins a reference to a resource that another operation of the same
// request creates (RFC 7644, section 3.7.2).
const bulkIDPrefix = "bulkId:"

// rewrite calls resolve for each reference in data, which is JSON, and puts the ID that
// it returns in its place; the rest stays byte for byte. A reference is a string value
// that begins with bulkId:, or the end of a URL that does (a $ref), or what stands so
// between quotes inside of a string (a value filter in the path of a PATCH).
func rewrite(data []byte, resolve func(bulkID string) string) []byte {
	if !mayRefer(data) {
		return data
	}
	var out []byte
	kept := 0
	for i := 0; i < len(data); i++ {
		if data[i] != '"' {
			continue
		}
		end := stringEnd(data, i)
		if !isName(data, end) {
			if s, ok := rewriteString(data[i:end], resolve); ok {
				out = append(append(out, data[kept:i]...), s...)
				kept = end
			}
		}
		i = end - 1
	}
	if kept == 0 {
		return data
	}
	return append(out, data[kept:]...)
}

// mayRefer tells most data that holds no reference at a glance: only an escape could
// hide one.
func mayRefer(data []byte) bool {
	return bytes.Contains(data, []byte(bulkIDPrefix)) || bytes.Contains(data, []byte(`\u`))
}

// stringEnd is the position after the string that begins at i.
func stringEnd(data []byte, i int) int {
	for i++; data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// isName says whether the string that ends before i is the name of a member.
func isName(data []byte, i int) bool {
	for ; i < len(data); i++ {
		switch data[i] {
		case ' ', '\t', '\r', '\n':
		default:
			return data[i] == ':'
		}
	}
	return false
}

func rewriteString(raw []byte, resolve func(string) string) ([]byte, bool) {
	if !mayRefer(raw) {
		return nil, false
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, false // the value was read before
	}
	changed := rewriteText(s, resolve)
	if changed == s {
		return nil, false
	}
	b, err := json.Marshal(changed)
	if err != nil { // a string always encodes
		panic(err)
	}
	return b, true
}

func rewriteText(s string, resolve func(string) string) string {
	last := strings.LastIndexByte(s, '/') + 1 // 0 when there is none
	if bulkID, ok := strings.CutPrefix(s[last:], bulkIDPrefix); ok {
		return s[:last] + resolve(bulkID)
	}
	out, rest := "", s
	for {
		before, after, ok := strings.Cut(rest, `"`+bulkIDPrefix)
		bulkID, behind, closed := strings.Cut(after, `"`)
		if !ok || !closed {
			return out + rest
		}
		out += before + `"` + resolve(bulkID) + `"`
		rest = behind
	}
}
