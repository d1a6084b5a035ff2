package schemas

import (
	"bytes"
	"regexp"
	"strings"
)

// Sign is a trace that a client leaves in its requests.
type Sign struct {
	In   SignPlace
	Text string
}

// SignPlace is where a Sign stands.
type SignPlace uint8

// The places, the surest first.
const (
	InUserAgent  SignPlace = iota // part of the header, in any case
	InQuery                       // part of the raw query, in any case
	AtEndOfQuery                  // the end of the raw query
	InBody                        // part of the beginning of the body, in lower case
	InFirstOp                     // the first op of a PATCH, as it is spelt
	signPlaces
)

// Evidence is what a request shows of its client.
type Evidence struct {
	UserAgent string
	Query     string // as it came
	Body      []byte
}

// evidenceLength is how much of a body is looked at: schemas and op come first.
const evidenceLength = 4 << 10

var firstOperation = regexp.MustCompile(`"(?i:op)"\s*:\s*"([A-Za-z]{1,16})"`)

// Detect returns the dialect that a request gives away; Generic and false for none.
func Detect(e Evidence) (Dialect, bool) {
	e.UserAgent, e.Query = lower(e.UserAgent), lower(e.Query)
	e.Body = e.Body[:min(len(e.Body), evidenceLength)]
	operation := ""
	if m := firstOperation.FindSubmatch(e.Body); m != nil {
		operation = string(m[1])
	}
	e.Body = bytes.ToLower(e.Body)
	for place := range signPlaces {
		for _, d := range dialects {
			for _, s := range d.Signs {
				if s.In == place && e.shows(s, operation) {
					return d, true
				}
			}
		}
	}
	return Generic, false
}

func (e Evidence) shows(s Sign, operation string) bool {
	switch s.In {
	case InUserAgent:
		return strings.Contains(e.UserAgent, s.Text)
	case InQuery:
		return strings.Contains(e.Query, s.Text)
	case AtEndOfQuery:
		return strings.HasSuffix(e.Query, s.Text)
	case InBody:
		return bytes.Contains(e.Body, []byte(s.Text))
	}
	return operation == s.Text
}
