package manage

import (
	"strings"

	"github.com/provost-id/provost/internal/events"
)

// readLogFilter understands the two comparisons that the log has indexes for.
func readLogFilter(filter string, q *events.Query) error {
	if filter == "" {
		return nil
	}
	all := tokens(filter)
	for i := 0; i < len(all); i += 4 {
		if len(all) < i+3 || !strings.EqualFold(all[i+1], "eq") || len(all) > i+3 && !strings.EqualFold(all[i+3], "and") {
			return badSearch("want: eventType eq \"...\" and target.id eq \"...\"")
		}
		value := strings.Trim(all[i+2], `"`)
		switch all[i] {
		case "eventType":
			q.Type = value
		case "target.id":
			q.Subject = value
		default:
			return badSearch(all[i] + " cannot be searched by")
		}
	}
	return nil
}

// tokens cuts a filter into names, operators and literals.
func tokens(s string) []string {
	var all []string
	for i := 0; i < len(s); {
		if s[i] == ' ' {
			i++
			continue
		}
		n := tokenEnd(s[i:])
		all = append(all, s[i:i+n])
		i += n
	}
	return all
}

func tokenEnd(s string) int {
	if s[0] == '"' {
		for i := 1; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
		return len(s)
	}
	if n := strings.IndexByte(s, ' '); n > 0 {
		return n
	}
	return len(s)
}
