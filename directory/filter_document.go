package directory

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// The index has no order by rows: what is no equal value cannot be looked up for a row,
// and what is Unindexed for none. Where another part of the filter leaves few rows,
// such leaves are evaluated on their documents; see few.

// onDocument collects the leaves of n that are evaluated on documents.
func (b *compiler) onDocument(n schemas.Node, leaves []schemas.Node) []schemas.Node {
	switch n := n.(type) {
	case *schemas.And:
		return b.allOnDocument(n.Terms, leaves)
	case *schemas.Or:
		return b.allOnDocument(n.Terms, leaves)
	case *schemas.Not:
		return b.onDocument(n.Term, leaves)
	}
	if b.cheap(n) {
		return leaves
	}
	return append(leaves, n)
}

func (b *compiler) allOnDocument(terms, leaves []schemas.Node) []schemas.Node {
	for _, t := range terms {
		leaves = b.onDocument(t, leaves)
	}
	return leaves
}

// evaluate says of which rows each leaf holds.
func (b *compiler) evaluate(ctx context.Context, rd sqldb.Reader, f *schemas.Filter, leaves []schemas.Node, rids []int64) (map[schemas.Node][]int64, error) {
	held := make(map[schemas.Node][]int64, len(leaves))
	for _, l := range leaves {
		held[l] = nil
	}
	s := b.fresh()
	rows, err := rd.Query(ctx, "SELECT rid, doc FROM documents WHERE "+s.listed("rid", rids), s.args...)
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		var rid int64
		var doc []byte
		if err := rows.Scan(&rid, &doc); err != nil {
			return nil, fmt.Errorf("read documents: %w", err)
		}
		r, err := f.Decode(doc)
		if err != nil {
			return nil, fmt.Errorf("decode %d: %w", rid, err)
		}
		for _, l := range leaves {
			if r.Matches(l) {
				held[l] = append(held[l], rid)
			}
		}
	}
	return held, rows.Err()
}

// listed is the condition that a column is one of some row numbers, as one parameter.
func (b *compiler) listed(column string, rids []int64) string {
	if len(rids) == 0 {
		return "FALSE"
	}
	list, err := json.Marshal(rids)
	if err != nil { // numbers always encode
		panic(err)
	}
	if b.dialect == sqldb.PostgreSQL {
		return column + " IN (SELECT n::bigint FROM json_array_elements_text(" + b.arg(string(list)) + "::json) n)"
	}
	return column + " IN (SELECT value FROM json_each(" + b.arg(string(list)) + "))"
}
