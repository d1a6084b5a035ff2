package directory

import (
	"context"
	"errors"
	"sync"

	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/expr"
)

// conditions keeps the compiled conditions of rules, by their text.
type conditions struct {
	mu     sync.Mutex // guards schema and byText
	schema *schemas.Snapshot
	byText map[string]*expr.Program
}

// compile returns the program of a condition under the schema in force, or an
// *expr.Error. Saved conditions are kept; a new schema forgets them all.
func (k *conditions) compile(d *Directory, text string) (*expr.Program, error) {
	schema := d.Schemas()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.schema != schema || len(k.byText) >= maxRules {
		k.schema, k.byText = schema, map[string]*expr.Program{}
	}
	if p, ok := k.byText[text]; ok {
		return p, nil
	}
	p, err := expr.Compile(text, d.RuleEnv())
	if err == nil {
		k.byText[text] = p
	}
	return p, err
}

var errNoBool = errors.New("the condition gave no boolean")

// matches evaluates a condition for one profile. Any failure is "no", with its reason.
func matches(ctx context.Context, prog *expr.Program, profile map[string]any) (bool, error) {
	v, err := prog.Eval(ctx, map[string]any{"user": profile})
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, errNoBool
	}
	return b, nil
}
