package passwords

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"strings"
)

// digest is a plain hash function. None of them is fit for passwords: they are read
// from elsewhere and replaced at the first good sign-in.
type digest struct {
	new  func() hash.Hash
	size int
}

var digests = map[string]digest{
	"md5": {md5.New, md5.Size}, "sha1": {sha1.New, sha1.Size},
	"sha256": {sha256.New, sha256.Size}, "sha384": {sha512.New384, sha512.Size384}, "sha512": {sha512.New, sha512.Size},
}

// match is the matcher of hash(salt + password), or of hash(password + salt).
func (d digest) match(salt, sum []byte, prefix bool) matcher {
	return func(password string) (bool, error) {
		h := d.new()
		if prefix {
			h.Write(salt)
		}
		h.Write([]byte(password))
		if !prefix {
			h.Write(salt)
		}
		return subtle.ConstantTimeCompare(h.Sum(nil), sum) == 1, nil
	}
}

// checkPlain checks $plain-NAME$ORDER$SALT$VALUE, our form of the contract's plain
// algorithms, both parts as they came in Base64 without padding.
func checkPlain(parts []string) error {
	salt, err := base64.RawStdEncoding.DecodeString(parts[2])
	if err != nil || len(salt) > maxSalt {
		return faultf("salt", "must have at most %d bytes", maxSalt)
	}
	if (len(salt) == 0) != (parts[1] == "none") {
		return errors.New("a salt needs its order, and an order its salt")
	}
	size := digests[parts[0]].size
	if sum, err := base64.RawStdEncoding.DecodeString(parts[3]); err != nil || len(sum) != size {
		return fmt.Errorf("value must have %d bytes", size)
	}
	return nil
}

func plainMatcher(parts []string) matcher {
	salt, _ := base64.RawStdEncoding.DecodeString(parts[2]) // checkPlain has read both
	sum, _ := base64.RawStdEncoding.DecodeString(parts[3])
	return digests[parts[0]].match(salt, sum, parts[1] == "prefix")
}

var ldapForm = regexp.MustCompile(`^\{([A-Za-z0-9-]+)\}(.+)$`)

// ldapHash decodes userPassword of an LDAP directory (RFC 2307, section 5.3, and what
// servers have added): a scheme in braces, then Base64 of the digest and its salt, or
// a hash of another kind.
func (p *Pool) ldapHash(encoded string) (matcher, error) {
	parts := ldapForm.FindStringSubmatch(encoded)
	if parts == nil {
		return nil, errHashKind
	}
	scheme, rest := strings.ToLower(parts[1]), parts[2]
	switch scheme {
	case "crypt", "argon2", "bcrypt":
		if !strings.HasPrefix(rest, "$") {
			return nil, fmt.Errorf("{%s} is followed by no known kind of hash", strings.ToUpper(scheme))
		}
		return p.decode(rest)
	case "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512":
		return p.decode("$" + scheme + "$" + rest)
	}
	salted := scheme == "smd5" || strings.HasPrefix(scheme, "ssha")
	if salted {
		scheme = scheme[1:]
	}
	if scheme == "sha" || scheme == "sha-1" {
		scheme = "sha1"
	}
	d, ok := digests[scheme]
	if !ok {
		return nil, errHashKind
	}
	return d.ldap(rest, salted)
}

// ldap reads what stands behind the scheme.
func (d digest) ldap(value string, salted bool) (matcher, error) {
	b, err := base64.StdEncoding.DecodeString(value)
	switch {
	case err != nil || strings.ContainsAny(value, "\r\n"):
		return nil, errors.New("is no Base64 behind its scheme")
	case !salted && len(b) != d.size:
		return nil, fmt.Errorf("must have %d bytes behind its scheme", d.size)
	case salted && (len(b) <= d.size || len(b) > d.size+maxSalt):
		return nil, fmt.Errorf("must have %d bytes and a salt of at most %d behind its scheme", d.size, maxSalt)
	}
	return d.match(b[d.size:], b[:d.size], false), nil
}
