package passwords

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/provost-id/provost/schemas"
)

// Imported is a hashed password from elsewhere, as the contract writes it (section
// 2.5). Beside its algorithms there are ARGON2, SCRYPT, SHA-CRYPT and LDAP, whose Value
// is a whole hash: $argon2id$..., $scrypt$..., $5$... or $6$..., {SSHA}... . BCRYPT and
// PBKDF2 take that form too, without the other members.
type Imported struct {
	Algorithm       string `json:"algorithm"`
	Value           string `json:"value"`
	Salt            string `json:"salt"`
	SaltOrder       string `json:"saltOrder"`
	WorkFactor      int    `json:"workFactor"`
	IterationCount  int    `json:"iterationCount"`
	KeySize         int    `json:"keySize"` // bytes
	DigestAlgorithm string `json:"digestAlgorithm"`
}

// wholeHash is how the value of an algorithm begins when it says everything.
var wholeHash = map[string][]string{
	"BCRYPT": {"$2"}, "PBKDF2": {"$pbkdf2"}, "ARGON2": {"$argon2"}, "SCRYPT": {"$scrypt$"},
	"SHA-CRYPT": {"$5$", "$6$"}, "LDAP": {"{"},
}

// plainNames are the plain digests of the contract.
var plainNames = map[string]string{"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}

// hmacNames are the digests of PBKDF2.
var hmacNames = map[string]string{"SHA1_HMAC": "sha1", "SHA256_HMAC": "sha256", "SHA512_HMAC": "sha512"}

// Encode turns a hash into the form in which it is stored, after making sure that a
// password can be compared with it at a bounded cost. Otherwise the error is a
// *schemas.Error that names the member.
func (p *Pool) Encode(h Imported) (string, error) {
	encoded, err := h.encode()
	if err != nil {
		return "", err
	}
	if _, err := p.decode(encoded); err != nil {
		return "", h.blame(err)
	}
	return encoded, nil
}

// Check returns why an encoded hash ($2b$..., {SSHA}...) cannot be imported, as a
// *schemas.Error.
func (p *Pool) Check(encoded string) error {
	if _, err := p.decode(encoded); err != nil {
		return hashError("value", "%v", err)
	}
	return nil
}

func hashError(member, format string, args ...any) error {
	return &schemas.Error{ScimType: schemas.InvalidValue, Path: "password.hash." + member, Reason: fmt.Sprintf(format, args...)}
}

// blame names the member that a fault of the encoded form is about.
func (h Imported) blame(err error) error {
	var fault *hashFault
	if errors.As(err, &fault) && !h.whole() {
		return hashError(fault.parameter, "%s", fault.reason)
	}
	return hashError("value", "%v", err)
}

// whole reports whether the value says everything.
func (h Imported) whole() bool {
	for _, prefix := range wholeHash[h.Algorithm] {
		if strings.HasPrefix(h.Value, prefix) {
			return true
		}
	}
	return false
}

func (h Imported) encode() (string, error) {
	if h.Value == "" {
		return "", hashError("value", "is missing")
	}
	name, plain := plainNames[h.Algorithm]
	switch {
	case h.whole():
		return h.Value, h.only()
	case plain:
		return h.encodePlain(name)
	case h.Algorithm == "BCRYPT":
		return h.encodeBcrypt()
	case h.Algorithm == "PBKDF2":
		return h.encodePBKDF2()
	}
	if begins, ok := wholeHash[h.Algorithm]; ok {
		return "", hashError("value", "must begin with %s", strings.Join(begins, " or "))
	}
	return "", hashError("algorithm", "must be one of BCRYPT, PBKDF2, SHA-512, SHA-256, SHA-1, MD5, ARGON2, SCRYPT, SHA-CRYPT, LDAP")
}

// only refuses members that the algorithm does not use: a caller that sends one means
// something by it that would not hold.
func (h Imported) only(used ...string) error {
	set := []struct {
		name string
		is   bool
	}{
		{"salt", h.Salt != ""}, {"saltOrder", h.SaltOrder != ""}, {"workFactor", h.WorkFactor != 0},
		{"iterationCount", h.IterationCount != 0}, {"keySize", h.KeySize != 0}, {"digestAlgorithm", h.DigestAlgorithm != ""},
	}
	for _, m := range set {
		if m.is && !strings.Contains(" "+strings.Join(used, " ")+" ", " "+m.name+" ") {
			return hashError(m.name, "has no meaning for %s in this form", h.Algorithm)
		}
	}
	return nil
}

func (h Imported) encodeBcrypt() (string, error) {
	switch {
	case h.WorkFactor < minBcrypt || h.WorkFactor > maxBcrypt:
		return "", hashError("workFactor", "must be %d to %d", minBcrypt, maxBcrypt)
	case len(h.Salt) != 22:
		return "", hashError("salt", "must be the 22 characters of a bcrypt salt")
	case len(h.Value) != 31:
		return "", hashError("value", "must be the 31 characters of a bcrypt hash, or the whole of it from $2")
	}
	return fmt.Sprintf("$2b$%02d$%s%s", h.WorkFactor, h.Salt, h.Value), h.only("salt", "workFactor")
}

func (h Imported) encodePBKDF2() (string, error) {
	name, ok := hmacNames[h.DigestAlgorithm]
	if !ok {
		return "", hashError("digestAlgorithm", "must be SHA1_HMAC, SHA256_HMAC or SHA512_HMAC")
	}
	if h.IterationCount < minPBKDF2 || h.IterationCount > maxPBKDF2 {
		return "", hashError("iterationCount", "must be %d to %d", minPBKDF2, maxPBKDF2)
	}
	if h.Salt == "" {
		return "", hashError("salt", "is missing")
	}
	salt, err := readBase64("salt", h.Salt)
	if err != nil {
		return "", err
	}
	value, err := readBase64("value", h.Value)
	if err != nil {
		return "", err
	}
	if h.KeySize != 0 && h.KeySize != len(value) {
		return "", hashError("keySize", "is not the %d bytes of the value", len(value))
	}
	encoded := fmt.Sprintf("$pbkdf2-%s$%d$%s$%s", name, h.IterationCount, adapted.EncodeToString(salt), adapted.EncodeToString(value))
	return encoded, h.only("salt", "iterationCount", "keySize", "digestAlgorithm")
}

func (h Imported) encodePlain(name string) (string, error) {
	salt, err := readBase64("salt", h.Salt)
	if err != nil {
		return "", err
	}
	value, err := readBase64("value", h.Value)
	if err != nil {
		return "", err
	}
	if size := digests[name].size; len(value) != size {
		return "", hashError("value", "must be the Base64 of %d bytes", size)
	}
	order := "none"
	switch {
	case h.SaltOrder != "" && h.SaltOrder != "PREFIX" && h.SaltOrder != "POSTFIX":
		return "", hashError("saltOrder", "must be PREFIX or POSTFIX")
	case (h.SaltOrder == "") != (h.Salt == ""):
		return "", hashError("saltOrder", "goes with salt: give both or neither")
	case h.SaltOrder != "":
		order = strings.ToLower(h.SaltOrder)
	}
	raw := base64.RawStdEncoding
	encoded := fmt.Sprintf("$plain-%s$%s$%s$%s", name, order, raw.EncodeToString(salt), raw.EncodeToString(value))
	return encoded, h.only("salt", "saltOrder")
}

// readBase64 reads a member with or without padding.
func readBase64(member, s string) ([]byte, error) {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, hashError(member, "must be Base64")
	}
	return b, nil
}
