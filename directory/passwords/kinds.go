package passwords

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Bounds of a hash that comes from elsewhere. Whoever imports it decides what each
// sign-in of that user costs, so no hash may take more than about two seconds of one
// core or more than 128 MiB.
const (
	maxEncoded     = 512       // characters of a hash
	minSalt        = 8         // bytes, of the kinds that take time (RFC 9106, section 3.1; RFC 8018, section 4.1)
	maxSalt        = 64        // bytes
	minKey         = 16        // bytes
	maxKey         = 64        // bytes
	minBcrypt      = 4         // below it there is no bcrypt
	maxBcrypt      = 14        // 2^14 rounds
	maxMemory      = 128       // MiB, argon2 and scrypt
	maxTraffic     = 512       // MiB that all passes of argon2 write; a quarter for scrypt, which is slower
	maxLanes       = 16        // argon2 and scrypt
	minPBKDF2      = 4096      // iterations, the contract's (section 2.5)
	maxPBKDF2      = 1_500_000 // iterations of all blocks together
	minSHARounds   = 1000      // what SHA-crypt itself allows
	maxSHARounds   = 1 << 20
	maxForeignPass = 4 * MaxLength // bytes of a password that is compared; some kinds grow with its length
)

// errHashKind is returned for what no kind of hash begins with.
var errHashKind = errors.New("is no known kind of hash")

// matcher compares a password with one hash, in constant time.
type matcher func(password string) (bool, error)

// kind is one family of encoded hashes: how it begins, what the whole of it looks
// like, and what its parameters may be. The patterns leave the decoder behind them
// nothing to guess.
type kind struct {
	name    string
	prefix  *regexp.Regexp
	pattern *regexp.Regexp
	check   func(parts []string) error // of the pattern's groups; nil for nothing to check
	byHand  func(parts []string) matcher
}

const b64 = `([A-Za-z0-9+/]+)`

// kinds are the families that begin with a dollar sign. {SCHEME} forms are ldapHash's.
var kinds = []kind{
	{name: "argon2", prefix: regexp.MustCompile(`^\$argon2`), check: checkArgon2,
		pattern: regexp.MustCompile(`^\$argon2(?:id|i|d)\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$` + b64 + `\$` + b64 + `$`)},
	{name: "bcrypt", prefix: regexp.MustCompile(`^\$2`), check: checkBcrypt,
		pattern: regexp.MustCompile(`^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$`)},
	{name: "scrypt", prefix: regexp.MustCompile(`^\$scrypt`), check: checkScrypt,
		pattern: regexp.MustCompile(`^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$` + b64 + `\$` + b64 + `$`)},
	{name: "PBKDF2", prefix: regexp.MustCompile(`^\$pbkdf2`), check: checkPBKDF2,
		pattern: regexp.MustCompile(`^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(\d{1,8})\$([A-Za-z0-9./]+)\$([A-Za-z0-9./]+)$`)},
	{name: "SHA-crypt", prefix: regexp.MustCompile(`^\$[56]\$`), check: checkSHACrypt,
		pattern: regexp.MustCompile(`^\$([56])\$(?:rounds=(\d{1,9})\$)?([./A-Za-z0-9]{1,16})\$([./A-Za-z0-9]+)$`)},
	{name: "plain digest", prefix: regexp.MustCompile(`^\$plain-`), check: checkPlain, byHand: plainMatcher,
		pattern: regexp.MustCompile(`^\$plain-(md5|sha1|sha256|sha512)\$(none|prefix|postfix)\$([A-Za-z0-9+/]*)\$` + b64 + `$`)},
}

// decode returns how to compare with an encoded hash: one of ours, or one from
// elsewhere whose parameters are within the bounds. The error says what is wrong and
// holds nothing of the hash.
func (p *Pool) decode(encoded string) (matcher, error) {
	if len(encoded) > maxEncoded {
		return nil, fmt.Errorf("is longer than %d characters", maxEncoded)
	}
	if strings.HasPrefix(encoded, "{") {
		return p.ldapHash(encoded)
	}
	for _, k := range kinds {
		if k.prefix.MatchString(encoded) {
			return p.decodeKind(k, encoded)
		}
	}
	return nil, errHashKind
}

func (p *Pool) decodeKind(k kind, encoded string) (matcher, error) {
	parts := k.pattern.FindStringSubmatch(encoded)
	if parts == nil {
		return nil, fmt.Errorf("is no well-formed %s hash", k.name)
	}
	if err := k.check(parts[1:]); err != nil {
		return nil, fmt.Errorf("%s: %w", k.name, err)
	}
	if k.byHand != nil {
		return k.byHand(parts[1:]), nil
	}
	digest, err := p.decoder.Decode(encoded)
	if err != nil {
		return nil, fmt.Errorf("is no well-formed %s hash", k.name)
	}
	return digest.MatchAdvanced, nil
}

// hashFault is what is wrong with one parameter of a hash.
type hashFault struct{ parameter, reason string }

func (e *hashFault) Error() string { return e.parameter + " " + e.reason }

func faultf(parameter, format string, args ...any) error {
	return &hashFault{parameter: parameter, reason: fmt.Sprintf(format, args...)}
}

// within checks a number of the pattern, which is never too long for an int.
func within(parameter, digits string, lowest, highest int) (int, error) {
	n, err := strconv.Atoi(digits)
	if err != nil || n < lowest || n > highest {
		return 0, faultf(parameter, "must be %d to %d", lowest, highest)
	}
	return n, nil
}

// sizes checks how many bytes salt and key have.
func sizes(enc *base64.Encoding, salt, key string) (keySize int, err error) {
	s, err := enc.DecodeString(salt)
	if err != nil || len(s) < minSalt || len(s) > maxSalt {
		return 0, faultf("salt", "must have %d to %d bytes", minSalt, maxSalt)
	}
	k, err := enc.DecodeString(key)
	if err != nil || len(k) < minKey || len(k) > maxKey {
		return 0, faultf("value", "must have %d to %d bytes", minKey, maxKey)
	}
	return len(k), nil
}

func checkArgon2(parts []string) error {
	lanes, err := within("p", parts[2], 1, maxLanes)
	if err != nil {
		return err
	}
	memory, err := within("m", parts[0], 8*lanes, maxMemory*1024) // RFC 9106, section 3.1
	if err != nil {
		return err
	}
	if _, err := within("t", parts[1], 1, maxTraffic*1024/memory); err != nil {
		return fmt.Errorf("with m=%d: %w", memory, err)
	}
	_, err = sizes(base64.RawStdEncoding, parts[3], parts[4])
	return err
}

// checkBcrypt also refuses a last character that bcrypt never writes: its unused bits
// are zero, and a hash where they are not would match nothing.
func checkBcrypt(parts []string) error {
	if _, err := within("workFactor", parts[0], minBcrypt, maxBcrypt); err != nil {
		return err
	}
	return endsWithin(bcryptAlphabet, parts[2], 4)
}

const (
	bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	cryptAlphabet  = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// endsWithin tells whether the last character stands for a multiple of step.
func endsWithin(alphabet, s string, step int) error {
	if strings.IndexByte(alphabet, s[len(s)-1])%step != 0 {
		return errors.New("ends with a character that no such hash has")
	}
	return nil
}

func checkScrypt(parts []string) error {
	log, err := within("ln", parts[0], 1, 20)
	if err != nil {
		return err
	}
	lanes, err := within("p", parts[2], 1, maxLanes)
	if err != nil {
		return err
	}
	// Memory is 128 * r * 2^ln bytes (RFC 7914, section 2), written once for each lane.
	block, err := within("r", parts[1], 1, maxMemory<<20/128>>log)
	if err != nil {
		return fmt.Errorf("with ln=%d: %w", log, err)
	}
	if total := 128 * block << log * lanes; total > maxTraffic<<20/4 {
		return fmt.Errorf("ln, r and p together must not ask for more than %d MiB", maxTraffic/4)
	}
	_, err = sizes(base64.RawStdEncoding, parts[3], parts[4])
	return err
}

// adapted is the Base64 of PBKDF2 hashes, with a full stop for the plus sign.
var adapted = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./").WithPadding(base64.NoPadding)

func checkPBKDF2(parts []string) error {
	key, err := sizes(adapted, parts[2], parts[3])
	if err != nil {
		return err
	}
	// Each block of the key takes all iterations again (RFC 8018, section 5.2).
	block := digests["sha1"].size
	if parts[0] != "" {
		block = digests[parts[0]].size
	}
	blocks := (key + block - 1) / block
	_, err = within("iterationCount", parts[1], minPBKDF2, maxPBKDF2/blocks)
	return err
}

func checkSHACrypt(parts []string) error {
	if parts[1] != "" {
		if _, err := within("rounds", parts[1], minSHARounds, maxSHARounds); err != nil {
			return err
		}
	}
	// 256 bits are 43 characters, the last with 4 bits; 512 are 86, the last with 2.
	length, highest := 43, 16
	if parts[0] == "6" {
		length, highest = 86, 4
	}
	if len(parts[3]) != length || strings.IndexByte(cryptAlphabet, parts[3][length-1]) >= highest {
		return fmt.Errorf("hash must be the %d characters of its digest", length)
	}
	return nil
}
