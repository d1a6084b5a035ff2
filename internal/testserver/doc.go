// Package testserver starts the real servers that tests speak to: slapd, and scimmy, a SCIM server on node.
//
// It owns their configuration, ports, folders and processes. Each server listens on a free port of 127.0.0.1,
// lives in a folder of the test, and is stopped by its own process. A server that is not installed fails the test: nothing is skipped.
// What the tests say to them is left to the tests. Only tests and the demonstration import it; it is never part of the binary.
package testserver
