package provisioning

import (
	"fmt"
	"strconv"
)

// encode turns a value of a profile into the strings that targets hold; none for what is empty.
func encode(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		if v == "" {
			return nil
		}
		return []string{v}
	case bool:
		return []string{strconv.FormatBool(v)}
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	case []string:
		return encodeList(v)
	case []any:
		return encodeList(v)
	}
	return []string{fmt.Sprint(v)}
}

func encodeList[T any](list []T) []string {
	var out []string
	for _, v := range list {
		out = append(out, encode(v)...)
	}
	return out
}
