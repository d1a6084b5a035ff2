package directory

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// maxMeasured is how many terms of a filter are counted; the rest are guessed.
const maxMeasured = 16

// measure counts the rows of terms that compete for being the driver of an "and", up to
// as many as are few: a department may have three people, or half of all.
func (b *compiler) measure(ctx context.Context, rd sqldb.Reader, n schemas.Node) error {
	leaves := b.competing(n, nil)
	if len(leaves) == 0 {
		return nil
	}
	s := b.fresh()
	var counts []string
	for i, l := range leaves {
		counts = append(counts, "SELECT "+strconv.Itoa(i)+" AS leaf, count(*) AS n FROM (SELECT 1 FROM ("+s.compareSet(l)+") x LIMIT "+strconv.Itoa(b.limits.few+1)+") c")
	}
	rows, err := rd.Query(ctx, strings.Join(counts, " UNION ALL "), s.args...)
	if err != nil {
		return fmt.Errorf("measure a filter: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	b.sizes = make(map[schemas.Node]cost, len(leaves))
	for rows.Next() {
		var leaf int
		var size cost
		if err := rows.Scan(&leaf, &size); err != nil {
			return fmt.Errorf("measure a filter: %w", err)
		}
		if size > cost(b.limits.few) { // at least; the guess tells them apart
			size += compareCost(leaves[leaf])
		}
		b.sizes[leaves[leaf]] = max(size, costUnique)
	}
	return rows.Err()
}

// competing collects the comparisons of every "and" in n in which it is not plain what
// the driver is.
func (b *compiler) competing(n schemas.Node, leaves []*schemas.Compare) []*schemas.Compare {
	switch n := n.(type) {
	case *schemas.And:
		if sets := b.rivals(n.Terms); len(sets) > 1 {
			return b.measurable(sets, leaves)
		}
	case *schemas.Or:
		for _, t := range n.Terms {
			leaves = b.competing(t, leaves)
		}
	case *schemas.ValuePath:
		if inIndex(n.Attr) && n.Attr.Type == schemas.Complex {
			return b.competing(n.Node, leaves)
		}
	}
	return leaves
}

// rivals are the terms of an "and" of which each may be the best driver; none when one
// finds a single row.
func (b *compiler) rivals(terms []schemas.Node) (sets []schemas.Node) {
	for _, t := range terms {
		switch c := b.cost(t); {
		case c == costUnique:
			return nil
		case c < costPath:
			sets = append(sets, t)
		}
	}
	return sets
}

// measurable collects the comparisons by which the rows of sets are found.
func (b *compiler) measurable(sets []schemas.Node, leaves []*schemas.Compare) []*schemas.Compare {
	for _, n := range sets {
		switch n := n.(type) {
		case *schemas.And:
			leaves = b.measurable(b.rivals(n.Terms), leaves)
		case *schemas.Or:
			leaves = b.measurable(n.Terms, leaves)
		case *schemas.ValuePath:
			if inIndex(n.Attr) && n.Attr.Type == schemas.Complex {
				leaves = b.measurable([]schemas.Node{n.Node}, leaves)
			}
		case *schemas.Compare:
			if len(leaves) < maxMeasured && isMeasurable(n) {
				leaves = append(leaves, n)
			}
		}
	}
	return leaves
}

func isMeasurable(n *schemas.Compare) bool {
	c := compareCost(n)
	return c > costUnique && c < costPath && n.Attr.Where != schemas.InGroups && n.Attr.Where != schemas.InMembers
}
