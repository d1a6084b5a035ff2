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

// measure counts the rows of terms that compete for being the driver of an "and": a
// department may have three people, or half of all. A driver that may be dense is
// counted further: if it is, it is no driver either.
func (b *compiler) measure(ctx context.Context, rd sqldb.Reader, n schemas.Node) error {
	if err := b.count(ctx, rd, b.competing(n, nil), b.limits.few); err != nil {
		return err
	}
	if c := b.maybeDense(n); c != nil {
		return b.count(ctx, rd, []*schemas.Compare{c}, b.limits.dense)
	}
	return nil
}

// count counts the rows of comparisons, each up to a limit and one more.
func (b *compiler) count(ctx context.Context, rd sqldb.Reader, leaves []*schemas.Compare, limit int) error {
	if len(leaves) == 0 {
		return nil
	}
	s := b.fresh()
	counts := make([]string, len(leaves))
	for i, l := range leaves {
		counts[i] = "SELECT " + strconv.Itoa(i) + " AS leaf, count(*) AS n FROM (SELECT 1 FROM (" + s.compareSet(l) + ") x LIMIT " + strconv.Itoa(limit+1) + ") c"
	}
	rows, err := rd.Query(ctx, strings.Join(counts, " UNION ALL "), s.args...)
	if err != nil {
		return fmt.Errorf("measure a filter: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		var leaf, size int
		if err := rows.Scan(&leaf, &size); err != nil {
			return fmt.Errorf("measure a filter: %w", err)
		}
		b.learn(leaves[leaf], size)
	}
	return rows.Err()
}

// learn replaces the guess of a cost by a count. What was not counted to the end is
// told apart by the guess.
func (b *compiler) learn(c *schemas.Compare, size int) {
	switch {
	case size <= b.limits.few:
		b.setCost(c, max(cost(size), costUnique))
	case size > b.limits.dense:
		b.setCost(c, costWalk)
	default:
		b.setCost(c, cost(size)+compareCost(c))
	}
}

func (b *compiler) setCost(c *schemas.Compare, size cost) {
	if b.sizes == nil {
		b.sizes = map[schemas.Node]cost{}
	}
	b.sizes[c] = size
}

// maybeDense is the comparison that alone is the driver of n, when it may find so many
// rows that it is better asked of every row in turn, in the order of the page.
func (b *compiler) maybeDense(n schemas.Node) *schemas.Compare {
	c := b.lone(n)
	if c == nil || !isMeasurable(c) || !b.cheap(c) || compareCost(c) == costEqual || b.cost(c) <= cost(b.limits.few) {
		return nil
	}
	return c
}

// lone is the driver of n if it is a comparison, or nil.
func (b *compiler) lone(n schemas.Node) *schemas.Compare {
	if and, ok := n.(*schemas.And); ok {
		driver := b.driver(and.Terms)
		if driver < 0 {
			return nil
		}
		n = and.Terms[driver]
	}
	c, _ := n.(*schemas.Compare)
	return c
}

// forget gives up a driver that has turned out to find more than few rows at the price
// of reading a whole attribute, where each row can be asked as well.
func (b *compiler) forget(n schemas.Node) {
	if c := b.lone(n); c != nil && b.cost(c) == costPath && b.cheap(c) {
		b.setCost(c, costWalk)
	}
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
