package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// filterLimits bound what a filter may cost.
type filterLimits struct {
	// few is how many rows are looked at one by one rather than read a whole attribute
	// as a set: decoding so many documents costs what reading 50,000 index entries does.
	few int
	// dense is how many rows a range must have to be no set: every row is asked in turn,
	// and a page is full soon.
	dense int
	// scanned and scanTime bound what is evaluated on documents because no index has it
	// (RFC 7644, table 9: tooMany).
	scanned  int
	scanTime time.Duration
}

var defaultLimits = filterLimits{few: 1000, dense: 20_000, scanned: 10_000, scanTime: 2 * time.Second}

// few returns the condition of a filter of which few rows can be the matches. It is
// empty when there are more, and the filter can do without.
func (b *compiler) few(ctx context.Context, rd sqldb.Reader, f *schemas.Filter, n schemas.Node) (string, error) {
	leaf := unindexed(n)
	if leaf == nil {
		return b.among(ctx, rd, f, n, b.limits.few)
	}
	limited, cancel := context.WithTimeout(ctx, b.limits.scanTime)
	defer cancel()
	condition, err := b.among(limited, rd, f, n, b.limits.scanned)
	switch {
	case err != nil && ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded):
		return "", tooMany(leaf, fmt.Sprintf("they took longer than %v", b.limits.scanTime))
	case err == nil && condition == "":
		return "", tooMany(leaf, fmt.Sprintf("there are more than %d", b.limits.scanned))
	}
	return condition, err
}

func tooMany(c *schemas.Compare, why string) error {
	return &schemas.Error{ScimType: schemas.TooMany, Path: c.Attr.Name(), Reason: fmt.Sprintf(
		"operator %s on a %s without an index looks at every resource that the rest of the filter leaves, and %s: add a term on an indexed attribute", c.Op, c.Attr.Type, why)}
}

// among selects the candidates by what the indexes answer cheaply, and evaluates the
// rest of the filter on them.
func (b *compiler) among(ctx context.Context, rd sqldb.Reader, f *schemas.Filter, n schemas.Node, limit int) (string, error) {
	relaxed, exact := b.relax(weaken(n))
	rids, more, err := b.candidates(ctx, rd, relaxed, limit)
	if err != nil || more {
		return "", err
	}
	if exact && unindexed(n) == nil || len(rids) == 0 {
		return b.found(b.listed("r.rid", rids)), nil
	}
	if b.held, err = b.evaluate(ctx, rd, f, b.onDocument(n, nil), rids); err != nil {
		return "", err
	}
	return b.found(b.listed("r.rid", rids), b.probe(n, "r", false)), nil
}

// candidates reads the row numbers that a relaxed filter leaves, or says that they are
// more than limit. It is a join, which both engines begin to answer before they have read the set.
func (b *compiler) candidates(ctx context.Context, rd sqldb.Reader, n schemas.Node, limit int) (rids []int64, more bool, err error) {
	s := b.fresh()
	var set string
	var conditions []string
	if n != nil {
		set, conditions = s.split(n, "r")
	}
	with, from := "", "resources r"
	if set != "" {
		with, from = "WITH s (rid) AS ("+set+") ", "s CROSS JOIN resources r"
		conditions = append(conditions, "r.rid = s.rid", s.ofType("r.type"))
	} else {
		conditions = append(conditions, "r.type = "+s.arg(s.typ))
	}
	rows, err := rd.Query(ctx, with+"SELECT r.rid FROM "+from+" WHERE "+strings.Join(conditions, " AND ")+" LIMIT "+s.arg(maxTwice*(limit+1)), s.args...)
	if err != nil {
		return nil, false, fmt.Errorf("candidates of a filter: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	return different(rows, limit)
}

// maxTwice bounds how often a row is found by several of its values, on average.
const maxTwice = 4

// different reads numbers without repetition, until there are more than limit. Too
// many rows in all count as too many numbers.
func different(rows *sql.Rows, limit int) (all []int64, more bool, err error) {
	seen := map[int64]bool{}
	for read := 1; rows.Next(); read++ {
		var rid int64
		if err := rows.Scan(&rid); err != nil {
			return nil, false, fmt.Errorf("candidates of a filter: %w", err)
		}
		if seen[rid] {
			continue
		}
		if len(all) == limit || read == maxTwice*(limit+1) {
			return nil, true, nil
		}
		seen[rid] = true
		all = append(all, rid)
	}
	return all, false, rows.Err()
}

// relax drops the terms that would be read as a whole set beside a driver. It returns
// nil when nothing is left, and whether nothing was dropped.
func (b *compiler) relax(n schemas.Node) (schemas.Node, bool) {
	switch n := n.(type) {
	case nil:
		return nil, false
	case *schemas.And:
		terms, exact := b.relaxAnd(n.Terms, b.cheap, b.relax)
		return and(terms), exact
	case *schemas.Or:
		if b.cost(n) == costWalk {
			break
		}
		terms, exact := relaxOr(n.Terms, b.relax)
		return &schemas.Or{Terms: terms}, exact
	case *schemas.ValuePath:
		if !inIndex(n.Attr) || n.Attr.Type != schemas.Complex || b.cost(n) >= costPath {
			break
		}
		inner, exact := b.relaxElement(n.Node)
		return &schemas.ValuePath{Attr: n.Attr, Node: inner}, exact
	}
	if b.cost(n) < costWalk || b.cheap(n) {
		return n, true
	}
	return nil, false
}

// relaxElement is relax inside a value path, of a node of less than costPath.
func (b *compiler) relaxElement(n schemas.Node) (schemas.Node, bool) {
	switch n := n.(type) {
	case *schemas.And:
		terms, exact := b.relaxAnd(n.Terms, onlyEqual, b.relaxElement)
		return and(terms), exact
	case *schemas.Or:
		terms, exact := relaxOr(n.Terms, b.relaxElement)
		return &schemas.Or{Terms: terms}, exact
	}
	return n, true
}

// relaxAnd keeps the driver, relaxed, and what is cheap beside it.
func (b *compiler) relaxAnd(all []schemas.Node, cheap func(schemas.Node) bool, relax func(schemas.Node) (schemas.Node, bool)) (kept []schemas.Node, exact bool) {
	exact = true
	driver := b.driver(all)
	for i, t := range all {
		switch {
		case i == driver:
			n, whole := relax(t)
			kept, exact = append(kept, n), exact && whole
		case cheap(t):
			kept = append(kept, t)
		default:
			exact = false
		}
	}
	return kept, exact
}

// relaxOr relaxes terms that all are sets.
func relaxOr(all []schemas.Node, relax func(schemas.Node) (schemas.Node, bool)) (terms []schemas.Node, exact bool) {
	exact = true
	terms = make([]schemas.Node, len(all))
	for i, t := range all {
		n, whole := relax(t)
		terms[i], exact = n, exact && whole
	}
	return terms, exact
}

func and(terms []schemas.Node) schemas.Node {
	if len(terms) < 2 {
		return first(terms)
	}
	return &schemas.And{Terms: terms}
}
