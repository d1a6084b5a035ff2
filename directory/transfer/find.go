package transfer

import (
	"context"
	"errors"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// errAmbiguous is about a key that several resources have.
var errAmbiguous = errors.New("several resources have the same")

// ambiguous stands for them.
var ambiguous = &found{}

// there are the resources that records name, by type, key and value.
type there map[keyOf]*found

type keyOf struct {
	typ   *schemas.Type
	by    directory.Key
	value string
}

func (r *record) keyOf() keyOf { return keyOf{r.typ, r.by, r.key} }

// findAll looks up the resources that the records name.
func (im *importer) findAll(ctx context.Context, items []*item) (there, error) {
	values := map[keyOf][]string{}
	for _, it := range items {
		if it.fault == nil && it.key != "" {
			k := keyOf{typ: it.typ, by: it.by}
			values[k] = append(values[k], it.key)
		}
	}
	all := there{}
	for k, values := range values {
		err := im.find(ctx, k, values, func(value string, f *found) {
			k := keyOf{k.typ, k.by, value}
			if all[k] != nil {
				f = ambiguous
			}
			all[k] = f
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (im *importer) find(ctx context.Context, k keyOf, values []string, add func(value string, f *found)) error {
	client := im.change.Client
	keep := func(id string, u *directory.User, r *schemas.Resource, err error) error {
		if err == nil {
			add(keyValue(k.by, id, r), &found{id: id, was: r, user: u})
		}
		return err
	}
	switch k.typ.Name {
	case "User":
		return each(im.dir.FindUsers(ctx, client, k.by, values))(func(u *directory.User) error {
			r, err := u.Decode(im.dir)
			return keep(u.ID, u, r, err)
		})
	case "Group":
		return each(im.dir.FindGroups(ctx, client, k.by, values))(func(g *directory.Group) error {
			r, err := g.Decode(im.dir)
			return keep(g.ID, nil, r, err)
		})
	}
	return each(im.dir.FindResources(ctx, k.typ.Name, client, k.by, values))(func(x *directory.Resource) error {
		r, err := x.Decode(k.typ)
		return keep(x.ID, nil, r, err)
	})
}

// keyValue is the value that a stored resource has of a key, as an Upsert compares it.
func keyValue(k directory.Key, id string, r *schemas.Resource) string {
	switch k {
	case directory.ByLogin:
		return k.Fold(r.UserName())
	case directory.ByName:
		return k.Fold(r.DisplayName())
	case directory.ByExternalID:
		return r.ExternalID
	}
	return id
}

// each calls a function for every one of a result.
func each[T any](all []T, err error) func(func(T) error) error {
	return func(fn func(T) error) error {
		for _, v := range all {
			if err := fn(v); err != nil {
				return err
			}
		}
		return err
	}
}
