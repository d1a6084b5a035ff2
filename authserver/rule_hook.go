package authserver

import "context"

// checkHook refuses a rule that names a hook nobody has configured: its tokens would
// fail.
func (s *Service) checkHook(ctx context.Context, v *Rule) error {
	hook := v.Actions.Token.InlineHook
	if hook == nil || s.HookExists == nil {
		return nil
	}
	exists, err := s.HookExists(ctx, hook.ID)
	if err == nil && !exists {
		err = invalid("actions.token.inlineHook.id", "there is no token hook %q", hook.ID)
	}
	return err
}

// HookInUse reports whether a rule of any server names the hook, active or not.
func (s *Service) HookInUse(ctx context.Context, hookID string) (bool, error) {
	all, err := s.servers.Get(ctx)
	if err != nil {
		return false, err
	}
	for _, srv := range all.ordered {
		for _, rules := range srv.rules {
			for _, r := range rules {
				if h := r.Actions.Token.InlineHook; h != nil && h.ID == hookID {
					return true, nil
				}
			}
		}
	}
	return false, nil
}
