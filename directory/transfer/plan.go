package transfer

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/id"
	"github.com/provost-id/provost/schemas"
)

// plan finds out what each record is going to do.
func (im *importer) plan(ctx context.Context, items []*item) error {
	if err := im.refuseRepeated(ctx, items); err != nil {
		return err
	}
	if err := im.resolveManagers(ctx, items); err != nil {
		return err
	}
	there, err := im.findAll(ctx, items)
	if err != nil {
		return err
	}
	for _, it := range items {
		if it.fault != nil || it.typ == nil {
			it.deferred = it.fault == nil && it.refs
			continue
		}
		it.deferred = it.deferred || it.refs
		if err := im.planOne(ctx, it, there); err != nil {
			reason, ok := refusal(err)
			if !ok && !errors.Is(err, errAmbiguous) {
				return err
			}
			if !ok {
				reason = err.Error()
			}
			it.fault = errors.New(reason)
		}
	}
	return nil
}

// planOne decides between a create and a change.
func (im *importer) planOne(ctx context.Context, it *item, all there) error {
	if it.isBuiltIn() {
		im.planBuiltIn(it)
		return nil
	}
	f := all[it.keyOf()]
	switch {
	case it.key != "" && f == ambiguous:
		return fmt.Errorf("%w %s", errAmbiguous, it.by)
	case it.key == "" || f == nil:
		im.prepareCreate(it)
		im.rememberName(it)
		return nil
	}
	im.rememberName(it)
	return im.prepareChange(ctx, it, f)
}

// isBuiltIn reports whether the record is of a group that every directory has.
func (it *item) isBuiltIn() bool {
	if it.typ.Name != "Group" || it.kind == directory.AppGroup {
		return false
	}
	name := schemas.Fold(it.res.DisplayName())
	return it.kind == directory.BuiltInGroup || name == schemas.Fold(directory.Everyone) || name == schemas.Fold(directory.Administrators)
}

// rememberName remembers what the file calls a resource, unless it is called so here.
func (im *importer) rememberName(it *item) {
	if im.o.Format == CSV && im.o.DryRun { // nobody will be there to be found by the login
		it.put(ref(refName, schemas.FoldLogin(it.res.UserName())), "")
	}
	kept := it.opts.Origin != nil && it.opts.Origin.ID == it.ref
	if it.ref != "" && (!kept || it.id != "" || im.o.DryRun) {
		it.put(ref(refName, it.ref), "")
	}
}

// put remembers a ref; an empty value stands for the ID that the resource gets.
func (it *item) put(ref, value string) {
	if it.remember == nil {
		it.remember = map[string]string{}
	}
	it.remember[ref] = value
}

// planBuiltIn leaves Everyone alone, which follows by itself, and takes the members of
// Administrators only when it is told to.
func (im *importer) planBuiltIn(it *item) {
	it.skip, it.same = true, true
	switch {
	case schemas.Fold(it.res.DisplayName()) != schemas.Fold(directory.Administrators):
		it.deferred = false
	case !it.refs:
	case !im.o.Administrators:
		it.deferred = false
		im.note("the members of %s were left as they are: only an option lets an import change them", directory.Administrators)
	default:
		it.id = im.dir.AdministratorsID()
		im.rememberName(it)
	}
}

// refuseRepeated refuses records of a resource that an earlier record of the file was
// of, and, in a dry run, of values that an earlier record would have alone.
func (im *importer) refuseRepeated(ctx context.Context, items []*item) error {
	var all []string
	want := make([]map[string]string, len(items)) // refs and what a message calls them
	for i, it := range items {
		want[i] = im.keysOf(it)
		all = append(all, sortedKeys(want[i])...)
	}
	if len(all) == 0 {
		return nil
	}
	seen, err := im.run.findRefs(ctx, im.store, all)
	if err != nil {
		return err
	}
	for i, it := range items {
		for _, ref := range sortedKeys(want[i]) {
			if line, ok := seen[ref]; ok {
				it.fault = sameKey(directory.Key(want[i][ref]), line)
			}
		}
		if it.fault != nil {
			continue
		}
		line := strconv.FormatInt(it.line, 10)
		for ref := range want[i] {
			seen[ref] = line
			it.put(ref, line)
		}
	}
	return nil
}

func (im *importer) keysOf(it *item) map[string]string {
	keys := map[string]string{}
	if it.fault != nil || it.typ == nil || it.isBuiltIn() {
		return keys
	}
	if it.key != "" {
		keys[ref(refKey, it.typ.Name, string(it.by), it.key)] = string(it.by)
	}
	if !im.o.DryRun {
		return keys
	}
	for _, e := range it.res.Unique() {
		keys[ref(refUnique, it.typ.Name, e.Path, e.Value)] = e.Path
	}
	if it.typ.Name == "Group" && it.kind != directory.AppGroup {
		keys[ref(refUnique, it.typ.Name, "displayName", it.res.Hot().DisplayName)] = "displayName"
	}
	if o := it.opts.Origin; o != nil && o.ID != "" {
		keys[ref(refUnique, "id", o.ID)] = "id"
	}
	return keys
}

// resolveManagers puts the ID of the manager where the file has another name of it that
// is known by now. The rest is left to the second pass.
func (im *importer) resolveManagers(ctx context.Context, items []*item) error {
	var names []string
	for _, it := range items {
		if name := im.managerOf(it); name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	ids, err := im.resolve(ctx, names)
	if err != nil {
		return err
	}
	for _, it := range items {
		name := im.managerOf(it)
		if name == "" {
			continue
		}
		managerID, ok := ids[name]
		if !ok {
			it.deferred = true
			continue
		}
		if err := im.setManager(it, managerID); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) setManager(it *item, managerID string) (err error) {
	value := []schemas.TextValue{{Text: im.manager, Texts: []string{managerID}}}
	if it.res, err = it.typ.SetTexts(it.res, value); err != nil {
		return err
	}
	next := it.next
	it.next = func(was *schemas.Resource) (*schemas.Resource, error) {
		r, err := next(was)
		if err != nil {
			return nil, err
		}
		return it.typ.SetTexts(r, value)
	}
	return nil
}

// managerOf is what a new record calls a manager, unless that is an ID already.
func (im *importer) managerOf(it *item) string {
	if it.fault != nil || it.res == nil || it.typ.Name != "User" {
		return ""
	}
	texts := im.manager.Of(it.res)
	if len(texts) == 0 || id.Is(id.User, texts[0]) && !im.o.NewIDs {
		return ""
	}
	if im.o.Format == LDIF {
		return canonicalDN(texts[0])
	}
	return texts[0]
}

// resolve finds the IDs of resources by what the file calls them: a login in CSV, and
// the DN or id of a record in the other formats.
func (im *importer) resolve(ctx context.Context, names []string) (map[string]string, error) {
	ids := map[string]string{}
	if im.o.Format == CSV {
		people, err := im.dir.FindUsers(ctx, im.change.Client, directory.ByLogin, names)
		if err != nil {
			return nil, err
		}
		byLogin := map[string]string{}
		for _, u := range people {
			r, err := u.Decode(im.dir)
			if err != nil {
				return nil, err
			}
			byLogin[schemas.FoldLogin(r.UserName())] = u.ID
		}
		for _, name := range names {
			if userID, ok := byLogin[schemas.FoldLogin(name)]; ok {
				ids[name] = userID
			}
		}
	}
	refs := make([]string, len(names))
	for i, name := range names {
		if refs[i] = ref(refName, name); im.o.Format == CSV {
			refs[i] = ref(refName, schemas.FoldLogin(name))
		}
	}
	known, err := im.run.findRefs(ctx, im.store, refs)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if userID, ok := known[refs[i]]; ok {
			ids[name] = userID
		}
	}
	return ids, nil
}
