package ldap

import (
	"encoding/hex"
	"fmt"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"
)

// identifier reads what an entry is known by for ever.
func (d *dialect) identifier(e *goldap.Entry) string {
	if d.idAttribute != "objectGUID" {
		return strings.ToLower(e.GetEqualFoldAttributeValue(d.idAttribute))
	}
	raw := e.GetEqualFoldRawAttributeValue("objectGUID")
	if len(raw) != 16 {
		return ""
	}
	return formatGUID([16]byte(raw))
}

// filterID finds an entry by its identifier.
func (d *dialect) filterID(id string) (string, error) {
	if d.idAttribute != "objectGUID" {
		return equals(d.idAttribute, id), nil
	}
	raw, err := parseGUID(id)
	if err != nil {
		return "", invalid("find "+id, "id", err.Error())
	}
	var b strings.Builder
	for _, c := range raw {
		fmt.Fprintf(&b, `\%02x`, c)
	}
	return "(objectGUID=" + b.String() + ")", nil
}

// guidOrder is the order in which the text of a GUID shows its bytes: the first three groups are little-endian (MS-DTYP, section 2.3.4).
var guidOrder = [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}

func formatGUID(raw [16]byte) string {
	var b [16]byte
	for i, from := range guidOrder {
		b[i] = raw[from]
	}
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func parseGUID(text string) ([16]byte, error) {
	var raw [16]byte
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 16 {
		return raw, fmt.Errorf("%q is no objectGUID", text)
	}
	for i, to := range guidOrder {
		raw[to] = b[i]
	}
	return raw, nil
}
