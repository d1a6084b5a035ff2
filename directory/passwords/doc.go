// Package passwords knows what a good password is and how one is hashed: the settings of
// the password policy (the contract, section 10.3), argon2id for our own hashes, and the
// hashes of other systems (bcrypt, PBKDF2, scrypt, argon2, SHA-crypt, the schemes of LDAP,
// plain digests with a salt), each checked when it comes so that comparing with it is
// bounded.
//
// It knows no user and no database: directory says whose password it is, and when.
package passwords
