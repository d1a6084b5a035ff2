package provisioning

import (
	"context"
	"fmt"

	"github.com/provost-id/provost/schemas/expr"
)

type userVarsKey struct{}

// WithUserVars puts the values of the variable "user" into the context of a create, for
// a connector that names new objects by an expression of the app's settings.
func WithUserVars(ctx context.Context, vars map[string]any) context.Context {
	return context.WithValue(ctx, userVarsKey{}, vars)
}

// Template compiles an expression of an app's settings that names new objects, as
// userDnTemplate does. It may read user, the person's profile here, and appuser, the
// profile that the mapping gave.
func Template(source string, user expr.Object) (func(ctx context.Context, profile map[string]any) (string, error), error) {
	p, err := expr.Compile(source, expr.Env{
		Objects: map[string]expr.Object{"user": user, "appuser": {Open: true}},
		Result:  expr.String,
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, profile map[string]any) (string, error) {
		vars, _ := ctx.Value(userVarsKey{}).(map[string]any)
		v, err := p.Eval(ctx, map[string]any{"user": vars, "appuser": profile})
		if err != nil {
			return "", err
		}
		s, ok := v.(string)
		if !ok || s == "" {
			return "", fmt.Errorf("%s gives no text", source)
		}
		return s, nil
	}, nil
}
