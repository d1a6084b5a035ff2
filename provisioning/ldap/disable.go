package ldap

import (
	"strconv"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provost-id/provost/provisioning"
)

// bits says whether the rule is a flag within a number, as userAccountControl of Active Directory is, rather than a value.
func (r disableRule) bits() (int64, bool) {
	if !strings.EqualFold(r.attribute, "userAccountControl") {
		return 0, false
	}
	n, err := strconv.ParseInt(r.value, 10, 64)
	return n, err == nil
}

// marks says whether an entry may not sign in.
func (r disableRule) marks(e *goldap.Entry) bool {
	for _, v := range e.GetEqualFoldAttributeValues(r.attribute) {
		if flag, ok := r.bits(); ok {
			n, err := strconv.ParseInt(v, 10, 64)
			return err == nil && n&flag == flag
		}
		if strings.EqualFold(v, r.value) {
			return true
		}
	}
	return false
}

// apply adds to a modify what makes an entry active or not. It is idempotent; of a number only the flag is changed,
// and only if the number is still the one that was read.
func (r disableRule) apply(m *goldap.ModifyRequest, e *goldap.Entry, active bool) error {
	flag, ok := r.bits()
	switch {
	case r.marks(e) == !active:
	case ok:
		old := e.GetEqualFoldAttributeValue(r.attribute)
		n, err := strconv.ParseInt(old, 10, 64)
		if err != nil {
			return &provisioning.Error{Kind: provisioning.ErrInvalid, Op: "modify " + e.DN, Attr: r.attribute, Body: "not a number: " + old}
		}
		m.Delete(r.attribute, []string{old})
		m.Add(r.attribute, []string{strconv.FormatInt(n^flag, 10)})
	case active:
		m.Replace(r.attribute, nil)
	default:
		m.Replace(r.attribute, []string{r.value})
	}
	return nil
}
