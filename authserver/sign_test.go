package authserver

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"testing"
)

func es256Sign(t *testing.T, private *ecdsa.PrivateKey, input string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(input))
	sig, err := signES256(private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// hmacSign is the algorithm confusion: HS256 with the public RSA key as the secret.
func hmacSign(t *testing.T, k *key, input string) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.private.Public().(*rsa.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(input))
	return mac.Sum(nil)
}
