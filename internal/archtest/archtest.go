// Package archtest holds the rules that keep the house in shape, as tests: which of
// our packages may import which, that every package says what it owns, that no test
// helper is linked into the program, and how long files and functions may be. It is
// imported by nobody.
package archtest
