package scim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/provost-id/provost/schemas"
)

// resolve puts the IDs of what is created in the place of the references to it (RFC
// 7644, section 3.7.2), and notes which operation needs which.
func (b *bulk) resolve() {
	b.byID = map[string]int{}
	for i, op := range b.ops {
		if op.method != http.MethodPost || op.bulkID == "" {
			continue
		}
		if first, ok := b.byID[op.bulkID]; ok {
			// Which of them a reference means nobody can tell.
			for _, n := range []int{first, i} {
				b.ops[n].broken = badRequest(schemas.InvalidValue, fmt.Sprintf("bulkId: %q is that of two operations", clip(op.bulkID)))
			}
			continue
		}
		b.byID[op.bulkID] = i
	}
	for _, op := range b.ops {
		if op.broken == nil {
			b.resolveIn(op)
		}
	}
}

func (b *bulk) resolveIn(op *bulkOperation) {
	resolve := func(bulkID string) string {
		i, ok := b.byID[bulkID]
		if !ok {
			op.broken = unresolvable(fmt.Sprintf("%s%s: no operation of the request creates it", bulkIDPrefix, clip(bulkID)))
			return bulkIDPrefix + bulkID
		}
		if !slices.Contains(op.needs, i) {
			op.needs = append(op.needs, i)
		}
		return b.ops[i].newID
	}
	if bulkID, ok := strings.CutPrefix(op.id, bulkIDPrefix); ok {
		op.unresolved = true
		op.id = resolve(bulkID)
	}
	op.data = rewrite(op.data, resolve)
}

// unresolvable is the answer to a reference that leads nowhere (RFC 7644, section 3.7.1).
func unresolvable(detail string) error {
	return &statusError{status: http.StatusConflict, detail: detail}
}

// unit is what is done together: one operation, or a circle of operations each of which
// refers to what another creates.
type unit []int

// units orders the operations so that each comes after those it needs, and otherwise
// as they are in the request. They are the strongly connected components of the graph,
// by Tarjan's algorithm, which finds a component after all that it needs.
func (b *bulk) units() []unit {
	t := tarjan{b: b, index: make([]int, len(b.ops)), low: make([]int, len(b.ops)), onStack: make([]bool, len(b.ops))}
	for i := range b.ops {
		if t.index[i] == 0 {
			t.visit(i)
		}
	}
	b.levelUsers(t.units)
	return t.units
}

// levelUsers brings new users that stand side by side into an order in which those who
// need none of them come first, then those who need only these, and so on: users of
// one level are created as one batch.
func (b *bulk) levelUsers(units []unit) {
	for len(units) > 0 {
		n := 0
		level := map[int]int{}
		for n < len(units) && len(units[n]) == 1 && b.createsUser(b.ops[units[n][0]]) {
			i := units[n][0]
			level[i] = 0
			for _, need := range b.ops[i].needs {
				if below, ok := level[need]; ok {
					level[i] = max(level[i], below+1)
				}
			}
			n++
		}
		slices.SortStableFunc(units[:n], func(x, y unit) int { return level[x[0]] - level[y[0]] })
		units = units[max(n, 1):]
	}
}

func (b *bulk) createsUser(op *bulkOperation) bool {
	return op.broken == nil && op.method == http.MethodPost && op.at.kind == b.kinds.users
}

type tarjan struct {
	b       *bulk
	next    int
	index   []int // 0 for not visited
	low     []int
	stack   []int
	onStack []bool
	units   []unit
}

func (t *tarjan) visit(i int) {
	t.next++
	t.index[i], t.low[i] = t.next, t.next
	t.stack, t.onStack[i] = append(t.stack, i), true
	for _, n := range t.b.ops[i].needs {
		switch {
		case t.index[n] == 0:
			t.visit(n)
			t.low[i] = min(t.low[i], t.low[n])
		case t.onStack[n]:
			t.low[i] = min(t.low[i], t.index[n])
		}
	}
	if t.low[i] != t.index[i] {
		return
	}
	at := slices.Index(t.stack, i)
	u := slices.Clone(t.stack[at:])
	for _, n := range u {
		t.onStack[n] = false
	}
	t.stack = t.stack[:at]
	slices.Sort(u)
	t.units = append(t.units, u)
}
