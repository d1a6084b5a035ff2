// Package seed fills a directory with believable people and groups, to measure and to
// try things: names of many cultures, reporting lines, departments, groups whose sizes
// follow a power law. The same seed makes the same people, with the same IDs. Nobody of
// them exists: addresses are in domains and ranges that are reserved for examples.
//
// It goes the way of every other batch, through package directory.
package seed
