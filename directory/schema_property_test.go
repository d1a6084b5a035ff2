package directory

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/lease"
	"github.com/provost-id/provost/schemas"
	"github.com/provost-id/provost/schemas/scim"
)

// schemaChurn is what writers and schema changes of the property test draw from.
type schemaChurn struct {
	r   *rand.Rand
	mu  sync.Mutex // guards ids
	ids []string
}

func (c *schemaChurn) pick() (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ids) == 0 {
		return "", false
	}
	return c.ids[c.r.IntN(len(c.ids))], true
}

func (c *schemaChurn) add(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids = append(c.ids, id)
}

func (c *schemaChurn) take() (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ids) < 10 {
		return "", false
	}
	i := c.r.IntN(len(c.ids))
	id := c.ids[i]
	c.ids = append(c.ids[:i], c.ids[i+1:]...)
	return id, true
}

func (c *schemaChurn) n(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.r.IntN(n)
}

// write makes one random change of a resource. What the schema refuses in this very moment
// is no fault; anything else is.
func (c *schemaChurn) write(ctx context.Context, d *Directory) error {
	value := fmt.Sprintf("V%d", c.n(500))
	if c.n(2) == 0 {
		value = fmt.Sprintf("v%d", c.n(500))
	}
	profile := map[string]any{"badge": value, "title": value}
	if c.n(4) == 0 {
		profile["tags"] = []any{value, "t"}
	}
	var err error
	switch c.n(6) {
	case 0, 1:
		profile["login"] = fmt.Sprintf("u%d-%d@example.com", c.n(1<<30), c.n(1<<30))
		var r *schemas.Resource
		if r, err = d.NewUser(profile, ""); err == nil {
			var u *User
			if u, err = d.CreateUser(ctx, manager, r, CreateOptions{}); err == nil {
				c.add(u.ID)
			}
		}
	case 2:
		if id, ok := c.take(); ok {
			err = d.DeleteUser(ctx, manager, id, nil)
		}
	case 3:
		profile["badge"] = nil
		fallthrough
	default:
		if id, ok := c.pick(); ok {
			_, err = d.UpdateProfile(ctx, manager, id, profile)
		}
	}
	var refused *schemas.Error
	if errors.As(err, &refused) || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrVersion) {
		return nil
	}
	return err
}

// define makes one random change of the schema.
func (c *schemaChurn) define(ctx context.Context, d *Directory) error {
	err := d.ChangeSchema(ctx, manager, SchemaEdit{Edit: func(defs *schemas.Definitions) error {
		s := defs.Schema(scim.OrgUser)
		if s == nil {
			defs.Schemas = append(defs.Schemas, schemas.Schema{ID: scim.OrgUser, Name: "User"})
			s = &defs.Schemas[len(defs.Schemas)-1]
		}
		a := s.Attribute("badge")
		switch {
		case a == nil:
			s.Attributes = append(s.Attributes, schemas.Attribute{Name: "badge", Type: schemas.String})
		case c.n(8) == 0:
			s.Attributes = s.Attributes[:0]
		default:
			switch c.n(4) {
			case 0:
				a.Uniqueness = []string{schemas.UniqueNone, schemas.UniqueServer}[c.n(2)]
			case 1:
				a.Unindexed = !a.Unique() && c.n(2) == 0
			case 2:
				a.CaseExact = a.CaseExact != !a.Unique()
			default:
				a.MaxLength = []int{0, 3, 10}[c.n(3)]
			}
		}
		if s.Attribute("tags") == nil && c.n(3) == 0 {
			s.Attributes = append(s.Attributes, schemas.Attribute{Name: "tags", Type: schemas.String, MultiValued: true})
		}
		return nil
	}})
	var busy *SchemaBusyError
	var wrong *schemas.DefinitionError
	if errors.As(err, &busy) || errors.As(err, &wrong) {
		return nil
	}
	return err
}

// Whatever changes of the schema and writes of two nodes come together: afterwards the
// index is what follows from the documents, and no two resources share a unique value.
func TestSchema_ChangesAmongWriters(t *testing.T) {
	each(t, func(t *testing.T, a *Directory) {
		b, err := New(t.Context(), a.DB, a.Keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		c := &schemaChurn{r: rand.New(rand.NewPCG(seed, 0))}
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		a.SchemaGrace, b.SchemaGrace = 50*time.Millisecond, 50*time.Millisecond
		var wg sync.WaitGroup
		for i, d := range []*Directory{a, b, a, b} {
			wg.Go(func() {
				for ctx.Err() == nil {
					if err := c.write(context.WithoutCancel(ctx), d); err != nil {
						t.Errorf("writer %d: %v", i, err)
						return
					}
				}
			})
		}
		for _, d := range []*Directory{a, b} {
			wg.Go(func() { check(t, d.RunSchemas(ctx)) })
		}
		changes := 0
		for ; ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
			if err := c.define(context.WithoutCancel(ctx), []*Directory{a, b}[c.n(2)]); err != nil {
				t.Errorf("change of the schema: %v", err)
				break
			}
			changes++
		}
		cancel()
		wg.Wait()
		check(t, lease.ReleaseAll(t.Context(), a.DB))
		finish(t, a)
		check(t, b.followSchemas(t.Context(), a.Schemas().Version))
		checkDerived(t, a)
		checkDerived(t, b)
		ends := map[string]int{}
		for _, s := range statuses(t, a) {
			var kind, status string
			_, _ = fmt.Sscan(s, &kind, &status)
			ends[kind+" "+status]++
		}
		t.Logf("%d changes, %d people, version %d, operations %v", changes, len(c.ids), a.Schemas().Version, ends)
	})
}
