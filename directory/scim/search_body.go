package scim

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/provost-id/provost/schemas"
	wire "github.com/provost-id/provost/schemas/scim"
)

// decodeSearch reads a SearchRequest. A client may write it as it would a query: SCIM-SDK
// sends a list of attributes as one string, and its numbers as strings.
func decodeSearch(body []byte, d schemas.Dialect) (m wire.SearchRequest, err error) {
	if !d.LooseShapes {
		if err = json.Unmarshal(body, &m); err != nil {
			return m, wrongType(err)
		}
		return m, nil
	}
	var loose struct {
		wire.SearchRequest
		Attributes         looseList `json:"attributes"`
		ExcludedAttributes looseList `json:"excludedAttributes"`
		StartIndex         *looseInt `json:"startIndex"`
		Count              *looseInt `json:"count"`
	}
	if err = json.Unmarshal(body, &loose); err != nil {
		return m, wrongType(err)
	}
	m = loose.SearchRequest
	m.Attributes, m.ExcludedAttributes = loose.Attributes, loose.ExcludedAttributes
	m.StartIndex, m.Count = (*int)(loose.StartIndex), (*int)(loose.Count)
	return m, nil
}

// looseList is a list of names, or a string of them with commas between.
type looseList []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *looseList) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = strings.Split(one, ",")
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

// looseInt is an integer, or a string of one.
type looseInt int

// UnmarshalJSON implements json.Unmarshaler.
func (n *looseInt) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		if i, err := strconv.Atoi(one); err == nil {
			*n = looseInt(i)
			return nil
		}
	}
	return json.Unmarshal(b, (*int)(n))
}
