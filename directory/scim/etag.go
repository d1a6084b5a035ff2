package scim

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/provost-id/provost/directory"
)

// etag is the entity tag of a version: weak, as in RFC 7644, section 3.14.
func etag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }

// ifMatch reads the If-Match header: nil without one and for "*".
func ifMatch(r *http.Request) directory.IfMatch {
	all, ok := tags(r, "If-Match")
	if !ok || all == nil {
		return nil
	}
	return all
}

// tags returns the versions of a header's entity tags: ok is false without the header,
// the list is nil for "*".
func tags(r *http.Request, header string) (versions directory.IfMatch, ok bool) {
	values := r.Header.Values(header)
	if len(values) == 0 {
		return nil, false
	}
	return versionsOf(strings.Join(values, ",")), true
}

// versionsOf reads a list of entity tags (RFC 9110, section 13.1.1); it is nil for "*",
// which stands alone. Tags are compared without W/, and one that is not as etag writes it
// matches nothing.
func versionsOf(list string) directory.IfMatch {
	if strings.TrimSpace(list) == "*" {
		return nil
	}
	versions := directory.IfMatch{}
	for list != "" {
		var tag string
		tag, list = cutTag(list)
		if n, err := strconv.ParseInt(tag, 10, 64); err == nil && strconv.FormatInt(n, 10) == tag {
			versions = append(versions, n)
		}
	}
	return versions
}

// cutTag takes the first tag off a list, without its quotes, which some clients leave out.
// A comma between quotes is a part of the tag.
func cutTag(list string) (tag, rest string) {
	list = strings.TrimPrefix(strings.TrimLeft(list, " \t,"), "W/")
	quoted, ok := strings.CutPrefix(list, `"`)
	if !ok {
		tag, rest, _ = strings.Cut(list, ",")
		return strings.TrimRight(tag, " \t"), rest
	}
	tag, rest, _ = strings.Cut(quoted, `"`)
	behind, rest, _ := strings.Cut(rest, ",")
	if strings.Trim(behind, " \t") != "" {
		return "", rest
	}
	return tag, rest
}
