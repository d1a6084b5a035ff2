package provisioning

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/directory/mapping"
	"github.com/provost-id/provost/schemas/expr"
)

// target is an app that is ready to be spoken to: its connector, what it holds, and
// both mappings compiled. It is shared and never changed.
type target struct {
	app     *directory.App
	conn    Connector
	users   ObjectType
	groups  ObjectType
	in, out *compiledMapping
	refs    int  // users of the target; guarded by the cache
	stale   bool // to be closed with the last user; guarded by the cache
}

// compiledMapping is a mapping with its source beside it.
type compiledMapping struct {
	*mapping.Compiled
	source *directory.Mapping
}

// expressions tells which expression gave each attribute.
func (m *compiledMapping) expressions() map[string]string {
	out := make(map[string]string, len(m.source.Properties))
	for name, p := range m.source.Properties {
		out[name] = p.Expression
	}
	return out
}

// version names the state of app and mappings that a target was made from.
func (t *target) version() string {
	return fmt.Sprintf("%d/%d/%d", t.app.Version, t.in.source.Version, t.out.source.Version)
}

// targetCache keeps connectors open between uses.
type targetCache struct {
	mu   sync.Mutex // guards byID and the counts in its targets
	byID map[string]*target
}

// ErrNoConnector is returned for a kind of app that nobody can speak to.
var ErrNoConnector = errors.New("there is no connector for this kind of app")

// ErrAppInactive is returned for an app that is turned off.
var ErrAppInactive = errors.New("the app is not active")

// target returns the target of an app as it is now. release must be called.
func (e *Engine) target(ctx context.Context, appID string) (t *target, release func(), err error) {
	app, err := e.Dir.App(ctx, appID)
	if err != nil {
		return nil, nil, err
	}
	if app.Status != directory.AppActive {
		return nil, nil, ErrAppInactive
	}
	in, err := e.Dir.MappingFor(ctx, appID, directory.UserPartner)
	if err != nil {
		return nil, nil, fmt.Errorf("mapping of %s: %w", appID, err)
	}
	out, err := e.Dir.MappingFor(ctx, directory.UserPartner, appID)
	if err != nil {
		return nil, nil, fmt.Errorf("mapping of %s: %w", appID, err)
	}
	fresh := &target{app: app, in: &compiledMapping{source: in}, out: &compiledMapping{source: out}}
	if old := e.targets.get(appID, fresh.version()); old != nil {
		return old, func() { e.targets.release(old) }, nil
	}
	if err := e.openTarget(ctx, fresh); err != nil {
		return nil, nil, err
	}
	e.targets.put(appID, fresh)
	return fresh, func() { e.targets.release(fresh) }, nil
}

// openTarget makes the connector and compiles the mappings.
func (e *Engine) openTarget(ctx context.Context, t *target) error {
	var err error
	if t.in.Compiled, err = mapping.Compile(t.in.source, e.Dir.MappingEnv(t.in.source)); err != nil {
		return err
	}
	if t.out.Compiled, err = mapping.Compile(t.out.source, e.Dir.MappingEnv(t.out.source)); err != nil {
		return err
	}
	config, err := e.Dir.AppConfig(ctx, t.app)
	if err != nil {
		return err
	}
	if t.conn, err = e.connect(ctx, t.app.Name, config); err != nil {
		return err
	}
	schema, err := t.conn.Schema(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("schema of %s: %w", t.app.Label, err), t.conn.Close())
	}
	t.users, _ = schema.Type(TypeUser)
	t.groups, _ = schema.Type(TypeGroup)
	return nil
}

func (e *Engine) connect(ctx context.Context, kind string, config Config) (Connector, error) {
	factory, ok := e.Connectors[kind]
	if !ok {
		return nil, fmt.Errorf("%s: %w", kind, ErrNoConnector)
	}
	return factory(ctx, config)
}

// CheckSettings reports whether settings.app of a kind of app are good, without talking
// to the target. A kind without a connector takes any.
func (e *Engine) CheckSettings(ctx context.Context, kind string, config Config) error {
	conn, err := e.connect(ctx, kind, config)
	if errors.Is(err, ErrNoConnector) {
		return nil
	}
	if err != nil {
		return err
	}
	return conn.Close()
}

// ProfileTypes are the attributes of users in a schema with their types in expressions.
func ProfileTypes(s Schema) map[string]expr.Type {
	users, _ := s.Type(TypeUser)
	types := make(map[string]expr.Type, len(users.Attributes))
	for _, a := range users.Attributes {
		switch {
		case a.List:
			types[a.Name] = expr.Strings
		case a.Type == "boolean":
			types[a.Name] = expr.Bool
		default:
			types[a.Name] = expr.String
		}
	}
	return types
}

func (c *targetCache) get(appID, version string) *target {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.byID[appID]
	if t == nil || t.version() != version {
		return nil
	}
	t.refs++
	return t
}

func (c *targetCache) put(appID string, t *target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[string]*target{}
	}
	if old := c.byID[appID]; old != nil {
		old.stale = true
		c.closeUnused(old)
	}
	t.refs = 1
	c.byID[appID] = t
}

func (c *targetCache) release(t *target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.refs--
	c.closeUnused(t)
}

func (c *targetCache) closeUnused(t *target) {
	if t.stale && t.refs == 0 {
		_ = t.conn.Close() // nothing uses it, nothing can be lost
	}
}

// close closes every connector that nobody uses any more.
func (c *targetCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.byID {
		t.stale = true
		c.closeUnused(t)
	}
	c.byID = nil
}
