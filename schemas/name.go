package schemas

import (
	"bytes"
	"encoding/json"
)

// NameIn is what a stored document calls its resource: displayName, or else userName. It
// is for lists of names, which have many: the document is not decoded.
func NameIn(doc []byte) string {
	userName := ""
	for at := 1; at < len(doc) && doc[at] != '}'; {
		if doc[at] == ',' {
			at++
		}
		nameEnd := at + 1 + bytes.IndexByte(doc[at+1:], '"')
		value := nameEnd + 2 // after the quote and the colon
		end := skipValue(doc, value)
		switch string(doc[at+1 : nameEnd]) {
		case "displayName":
			if name := textOf(doc[value:end]); name != "" {
				return name
			}
		case "userName":
			userName = textOf(doc[value:end])
		}
		at = end
	}
	return userName
}

// textOf decodes a JSON string.
func textOf(b []byte) string {
	if bytes.IndexByte(b, '\\') < 0 {
		return string(bytes.Trim(b, `"`))
	}
	var s string
	if json.Unmarshal(b, &s) != nil {
		return "" // a stored document always decodes
	}
	return s
}
