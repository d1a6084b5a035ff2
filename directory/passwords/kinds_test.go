package passwords

import (
	"strings"
	"testing"
)

const password = "correct horse"

// Each hash was made by another program: crypt(3) of libxcrypt, Python's hashlib, and
// for argon2 the reference implementation (its own test of "password", "somesalt").
var knownHashes = []struct{ name, password, hash string }{
	{"argon2id", "password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
	{"argon2i", "password", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"},
	{"argon2 by LDAP", "password", "{ARGON2}$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
	{"bcrypt 2b", password, "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"},
	{"bcrypt 2a", password, "$2a$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"},
	{"bcrypt 2y by LDAP", password, "{CRYPT}$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"},
	{"scrypt", password, "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M"},
	{"PBKDF2 SHA-1", password, "$pbkdf2-sha1$4096$MDEyMzQ1Njc4OWFiY2RlZg$XcV2tynkPK.jvcIt5gvAiOL0J2c"},
	{"PBKDF2 unnamed", password, "$pbkdf2$4096$MDEyMzQ1Njc4OWFiY2RlZg$XcV2tynkPK.jvcIt5gvAiOL0J2c"},
	{"PBKDF2 SHA-256", password, "$pbkdf2-sha256$4096$MDEyMzQ1Njc4OWFiY2RlZg$L47unUuuz53ZGjvyxdG9n7fm071wLR1awArcH/V68jg"},
	{"PBKDF2 SHA-512", password, "$pbkdf2-sha512$4096$MDEyMzQ1Njc4OWFiY2RlZg$Fhi8Fi2FB5gd7O3wyhppX5w66WiVxFChCNQnXGhoYm1L.YVyN32B6Xr8IoeBuprS0JRiv6/hV.p8eJOF/z5jbQ"},
	{"PBKDF2 by LDAP", password, "{PBKDF2-SHA256}4096$MDEyMzQ1Njc4OWFiY2RlZg$L47unUuuz53ZGjvyxdG9n7fm071wLR1awArcH/V68jg"},
	{"SHA-256-crypt", password, "$5$rounds=1000$saltstring$95Bg/RfV2QriLpMdLPHK9el0Ighm6E3CBqMKzZKgCa2"},
	{"SHA-512-crypt", password, "$6$rounds=1000$saltstring$YiR6NSM0LQXmu7vAhkMXfkdYk7qtFouVx1Mdr3HmzXspT8kONjlpU3CsV7ezCB62uXJoAdaagsH4ck7/tB9js."},
	{"SHA-256-crypt, rounds left out", password, "$5$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC"},
	{"SHA-512-crypt by LDAP", password, "{crypt}$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/"},
	{"{MD5}", password, "{MD5}PLTnMmMfR+brlh80VUt83g=="},
	{"{SMD5}", password, "{SMD5}xO6uPl93NAYSG+7+PGvwd3NhbHQxMjM0"},
	{"{SHA}", password, "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="},
	{"{SSHA}", password, "{SSHA}K0MZxWoMPVRxegoJBeg1/wEGvbpzYWx0MTIzNA=="},
	{"{ssha} in lower case", password, "{ssha}K0MZxWoMPVRxegoJBeg1/wEGvbpzYWx0MTIzNA=="},
	{"{SHA256}", password, "{SHA256}QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE="},
	{"{SSHA256}", password, "{SSHA256}LBWHKVk8AqLFDGjNCFn++x9EnLelCHLkEmBsFi2U3AJzYWx0MTIzNA=="},
	{"{SHA384}", password, "{SHA384}ArIKby67E2Cppg9M+QhXNj7UGcAisSFWfOX5HG45Zk+3j9YCNMSli1v8cUWumDKS"},
	{"{SSHA384}", password, "{SSHA384}hCTwTZH10VNVQrmAGWU4oCaLvcCIatV837b4Rvlj9W+H5L01K2WAjwCs6yCLO1Swc2FsdDEyMzQ="},
	{"{SHA512}", password, "{SHA512}VraY3v7bWkNbY0r+MyC7rz/c2SC2xQOkRvx7endrKY1HnRumqLYXgI6wv1ec6aldZoNHvKtxSQhayTyyeZUZew=="},
	{"{SSHA512}", password, "{SSHA512}foa0o5b0ZNtnD4d7mkHNhvOYnvv07lgQLIiqhLd1FEa5XsTVUbPtF47ABIGbnQq2Ah1uFh4t800l1g7N4YIQh3NhbHQxMjM0"},
	{"MD5, salt before", password, "$plain-md5$prefix$c2FsdDEyMzQ$YejMILjucHMQEJuhlHAqJw"},
	{"SHA-1, salt behind", password, "$plain-sha1$postfix$c2FsdDEyMzQ$K0MZxWoMPVRxegoJBeg1/wEGvbo"},
	{"SHA-256 without salt", password, "$plain-sha256$none$$QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE"},
}

func testPool(t testing.TB) *Pool {
	t.Helper()
	p, err := NewPool()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestKnownHashes(t *testing.T) {
	p := testPool(t)
	for _, k := range knownHashes {
		t.Run(k.name, func(t *testing.T) {
			if ok, err := p.Verify(t.Context(), k.hash, k.password); err != nil || !ok {
				t.Errorf("the password: %v, %v", ok, err)
			}
			for _, wrong := range []string{"", k.password + "x", k.password[1:], strings.ToUpper(k.password), k.hash} {
				if ok, err := p.Verify(t.Context(), k.hash, wrong); err != nil || ok {
					t.Errorf("%q: %v, %v; want no match", wrong, ok, err)
				}
			}
		})
	}
}

// A hash that asks for more than a sign-in may cost is refused when it comes, as is one
// that no password could match.
func TestUnusableHashesAreRefused(t *testing.T) {
	const salt, key = "MDEyMzQ1Njc4OWFiY2RlZg", "6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M"
	bcrypt := knownHashes[3].hash
	sha256crypt, sha512crypt := knownHashes[12].hash, knownHashes[13].hash
	for name, hash := range map[string]string{
		"nothing": "", "a password": password, "unknown kind": "$9$abc$def", "unknown scheme": "{ROT13}cnlwgb", "long": "$2b$" + strings.Repeat("x", 600),
		"argon2 memory":         "$argon2id$v=19$m=4194304,t=1,p=1$" + salt + "$" + key,
		"argon2 passes":         "$argon2id$v=19$m=65536,t=999,p=1$" + salt + "$" + key,
		"argon2 both":           "$argon2id$v=19$m=131072,t=5,p=1$" + salt + "$" + key,
		"argon2 lanes":          "$argon2id$v=19$m=65536,t=1,p=255$" + salt + "$" + key,
		"argon2 no passes":      "$argon2id$v=19$m=65536,t=0,p=1$" + salt + "$" + key,
		"argon2 no memory":      "$argon2id$v=19$m=0,t=1,p=1$" + salt + "$" + key,
		"argon2 twice m":        "$argon2id$v=19$m=64,t=1,p=1,m=4194304$" + salt + "$" + key,
		"argon2 negative":       "$argon2id$v=19$m=-1,t=1,p=1$" + salt + "$" + key,
		"argon2 version":        "$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + key,
		"argon2 short salt":     "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$" + key,
		"argon2 short key":      "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$c2FsdA",
		"argon2 huge key":       "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + strings.Repeat("A", 400),
		"bcrypt cost 31":        strings.Replace(bcrypt, "$05$", "$31$", 1),
		"bcrypt cost 15":        strings.Replace(bcrypt, "$05$", "$15$", 1),
		"bcrypt cost 3":         strings.Replace(bcrypt, "$05$", "$03$", 1),
		"bcrypt 2x":             strings.Replace(bcrypt, "$2b$", "$2x$", 1),
		"bcrypt short":          bcrypt[:len(bcrypt)-1],
		"bcrypt last character": bcrypt[:len(bcrypt)-1] + "3",
		"scrypt ln":             "$scrypt$ln=30,r=8,p=1$" + salt + "$" + key,
		"scrypt memory":         "$scrypt$ln=18,r=8,p=1$" + salt + "$" + key,
		"scrypt r":              "$scrypt$ln=10,r=999,p=16$" + salt + "$" + key,
		"scrypt lanes":          "$scrypt$ln=17,r=8,p=2$" + salt + "$" + key,
		"scrypt zero":           "$scrypt$ln=0,r=0,p=0$" + salt + "$" + key,
		"PBKDF2 many":           "$pbkdf2-sha256$99999999$" + salt + "$" + strings.ReplaceAll(key, "+", "."),
		"PBKDF2 many blocks":    "$pbkdf2-sha1$1500000$" + salt + "$" + strings.Repeat("A", 86),
		"PBKDF2 few":            "$pbkdf2-sha256$1$" + salt + "$" + strings.ReplaceAll(key, "+", "."),
		"PBKDF2 digest":         "$pbkdf2-md5$4096$" + salt + "$" + strings.ReplaceAll(key, "+", "."),
		"SHA-crypt rounds":      strings.Replace(sha512crypt, "=1000", "=999999999", 1),
		"SHA-crypt few rounds":  strings.Replace(sha512crypt, "=1000", "=999", 1),
		"SHA-crypt length":      sha512crypt[:len(sha512crypt)-2],
		"SHA-256-crypt as 512":  strings.Replace(sha256crypt, "$5$", "$6$", 1),
		"SHA-crypt last bits":   sha512crypt[:len(sha512crypt)-1] + "z",
		"{SSHA} without salt":   "{SSHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
		"{SHA} with salt":       "{SHA}K0MZxWoMPVRxegoJBeg1/wEGvbpzYWx0MTIzNA==",
		"{SHA} in hex":          "{SHA}2f9e53523b62abc141a2b4d6019d23cba835dbd0",
		"{CRYPT} of DES":        "{CRYPT}abJnggxhB/yWI",
		"{CRYPT} in {CRYPT}":    strings.Repeat("{CRYPT}", 50) + bcrypt,
		"{CLEARTEXT}":           "{CLEARTEXT}correct horse",
		"plain, salt unordered": "$plain-md5$none$c2FsdDEyMzQ$YejMILjucHMQEJuhlHAqJw",
		"plain, long salt":      "$plain-md5$prefix$" + strings.Repeat("A", 120) + "$YejMILjucHMQEJuhlHAqJw",
		"plain, wrong size":     "$plain-sha1$none$$YejMILjucHMQEJuhlHAqJw",
		"line break":            bcrypt + "\n",
	} {
		if _, err := testPool(t).decode(hash); err == nil {
			t.Errorf("%s: %q was taken", name, hash)
		} else if hash != "" && strings.Contains(err.Error(), hash) {
			t.Errorf("%s: the error shows the hash: %v", name, err)
		}
	}
}

// SHA-crypt takes longer the longer the password is; what is sent at sign-in is not
// bounded by what can be set.
func TestLongPasswordCostsNoMore(t *testing.T) {
	p := testPool(t)
	seen := 0
	long := strings.Repeat("x", 1<<20)
	match := matcher(func(s string) (bool, error) { seen = len(s); return true, nil })
	ok, err := p.compare(t.Context(), match, long)
	if err != nil || ok || seen != maxForeignPass {
		t.Errorf("a password of %d bytes: compared %d, %v, %v; want %d and no match", len(long), seen, ok, err, maxForeignPass)
	}
}

// FuzzDecodeHash: what is taken is within the bounds, so that comparing is cheap enough
// to try, never panics, and answers the same twice.
func FuzzDecodeHash(f *testing.F) {
	for _, k := range knownHashes {
		f.Add(k.hash, k.password)
	}
	f.Add("$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M", "x")
	p := testPool(f)
	f.Fuzz(func(t *testing.T, hash, password string) {
		match, err := p.decode(hash)
		if err != nil {
			return
		}
		if len(password) > maxForeignPass {
			password = password[:maxForeignPass]
		}
		first, err := match(password)
		if err != nil {
			t.Fatalf("%q was taken and cannot be compared: %v", hash, err)
		}
		if second, err := match(password); err != nil || second != first {
			t.Errorf("%q: %v, then %v, %v", hash, first, second, err)
		}
	})
}
