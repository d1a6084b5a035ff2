package seed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/schemas"
)

// Options say how much is made.
type Options struct {
	Users  int
	Groups int
	// GroupOf, above 0, makes one more group with so many members.
	GroupOf int
	Seed    uint64
	// Report hears how far it is.
	Report func(stage string, done, total int64)
}

// Result is what was made. People and groups that were there already, from the same
// seed, are left as they are.
type Result struct {
	Users   int64         `json:"users"`
	Groups  int64         `json:"groups"`
	Members int64         `json:"members"`
	There   int64         `json:"alreadyThere"`
	Elapsed time.Duration `json:"-"`
}

// everybody is the name of the group of GroupOf.
const everybody = "Everybody at Example Industries"

// Fill fills a directory. It can be stopped and begun again: what is there stays.
func Fill(ctx context.Context, dir *directory.Directory, c directory.Change, o Options) (*Result, error) {
	switch {
	case o.Users < 0 || o.Groups < 0 || o.GroupOf < 0:
		return nil, errors.New("numbers of people and groups are not negative")
	case o.GroupOf > o.Users:
		return nil, fmt.Errorf("a group of %d has more members than the %d people", o.GroupOf, o.Users)
	case o.Groups > 0 && o.Users == 0:
		return nil, errors.New("groups want people to be in them")
	}
	t, _ := dir.Schemas().Type("User") // every schema has it
	f := &filler{dir: dir, change: c, o: o, maker: maker{seed: o.Seed, users: o.Users, typ: t}}
	f.change.Client = "seed"
	f.change.Source = directory.Source{Kind: directory.SourceFile, ID: "seed"}
	started := time.Now()
	err := f.people(ctx)
	if err == nil {
		err = f.groups(ctx)
	}
	f.result.Elapsed = time.Since(started)
	return &f.result, err
}

type filler struct {
	maker
	dir    *directory.Directory
	change directory.Change
	o      Options
	result Result
}

func (f *filler) report(stage string, done, total int) {
	if f.o.Report != nil {
		f.o.Report(stage, int64(done), int64(total))
	}
}

// people makes the people; one goroutine makes up the next while the last are written.
func (f *filler) people(ctx context.Context) error {
	batches := make(chan []directory.UserToCreate, 1)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(batches)
		for from := 0; from < f.o.Users; from += directory.MaxUserBatch {
			batch := make([]directory.UserToCreate, min(directory.MaxUserBatch, f.o.Users-from))
			for i := range batch {
				var err error
				if batch[i], err = f.person(from + i); err != nil {
					return err
				}
			}
			select {
			case batches <- batch:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	g.Go(func() error {
		done := 0
		for batch := range batches {
			results, err := f.dir.CreateUsers(ctx, f.change, batch)
			if err != nil {
				return err
			}
			for _, r := range results {
				if err := f.count(&f.result.Users, r.Err); err != nil {
					return err
				}
			}
			done += len(batch)
			f.report("people", done, f.o.Users)
		}
		return nil
	})
	return g.Wait()
}

// count counts something that was made, or was there.
func (f *filler) count(made *int64, err error) error {
	switch {
	case errors.Is(err, directory.ErrConflict):
		f.result.There++
	case err != nil:
		return err
	default:
		*made++
	}
	return nil
}

// groupsEach is how many groups one transaction makes, and membersEach how many members
// it adds.
const (
	groupsEach  = 200
	membersEach = 1000
)

// membership is a part of the members of a group.
type membership struct {
	groupID string
	users   []string
}

func (f *filler) groups(ctx context.Context) error {
	sizes := f.sizes(f.o.Groups)
	for from := 0; from < len(sizes); from += groupsEach {
		to := min(from+groupsEach, len(sizes))
		names := make([]string, 0, to-from)
		for n := from; n < to; n++ {
			names = append(names, f.groupName(n))
		}
		if err := f.makeGroups(ctx, from, names); err != nil {
			return err
		}
		var all []membership
		for n := from; n < to; n++ {
			all = append(all, f.membership(f.groupID(n), f.members(n, sizes[n]))...)
		}
		if err := f.join(ctx, all); err != nil {
			return err
		}
		f.report("groups", to, len(sizes))
	}
	if f.o.GroupOf == 0 {
		return nil
	}
	return f.groupOf(ctx)
}

// groupOf makes the one large group.
func (f *filler) groupOf(ctx context.Context) error {
	if err := f.makeGroups(ctx, f.o.Groups, []string{everybody}); err != nil {
		return err
	}
	groupID := f.groupID(f.o.Groups)
	for from := 0; from < f.o.GroupOf; from += membersEach {
		to := min(from+membersEach, f.o.GroupOf)
		people := make([]int, 0, to-from)
		for n := from; n < to; n++ {
			people = append(people, n)
		}
		if err := f.join(ctx, f.membership(groupID, people)); err != nil {
			return err
		}
		f.report("the large group", to, f.o.GroupOf)
	}
	return nil
}

func (f *filler) membership(groupID string, people []int) []membership {
	var all []membership
	for len(people) > 0 {
		n := min(len(people), membersEach)
		m := membership{groupID: groupID, users: make([]string, n)}
		for i, who := range people[:n] {
			m.users[i] = f.userID(who)
		}
		all, people = append(all, m), people[n:]
	}
	return all
}

// makeGroups makes groups in one transaction; those that are there stay.
func (f *filler) makeGroups(ctx context.Context, from int, names []string) error {
	t, _ := f.dir.Schemas().Type("Group") // every schema has it
	groups := make([]*schemas.Resource, len(names))
	for i, name := range names {
		r, err := t.FromProfile(map[string]any{"name": name, "description": "Made up by the seed"})
		if err != nil {
			return err
		}
		groups[i] = r
	}
	var made, there int64
	err := f.dir.DB.Write(ctx, func(tx *sqldb.Tx) error {
		made, there = 0, 0
		for i, r := range groups {
			o := directory.GroupOptions{Origin: &directory.Origin{ID: f.groupID(from + i), Created: f.joined((from + i) % max(f.users, 1))}}
			err := tx.Try(func() error {
				_, err := f.dir.CreateGroupTx(tx, f.change, r, o)
				return err
			})
			switch {
			case errors.Is(err, directory.ErrConflict):
				there++
			case err != nil:
				return err
			default:
				made++
			}
		}
		return nil
	})
	f.result.Groups, f.result.There = f.result.Groups+made, f.result.There+there
	return err
}

// join adds members, as many in one transaction as membersEach.
func (f *filler) join(ctx context.Context, all []membership) error {
	for len(all) > 0 {
		n, sum := 0, 0
		for n < len(all) && (n == 0 || sum+len(all[n].users) <= membersEach) {
			sum += len(all[n].users)
			n++
		}
		err := f.dir.DB.Write(ctx, func(tx *sqldb.Tx) error {
			for _, m := range all[:n] {
				if err := f.dir.ChangeMembersTx(tx, f.change, m.groupID, m.users, nil); err != nil {
					return fmt.Errorf("members of %s: %w", m.groupID, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		f.result.Members += int64(sum)
		all = all[n:]
	}
	return nil
}
