package provisioning

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// fake is a target in memory that keeps the contract of a connector, and fails when
// and how a test says.
type fake struct {
	mu      sync.Mutex // guards everything below
	objects map[string]Object
	next    int
	creates int
	updates []Delta
	members int
	// onCall, when set, is asked before each write; effect false keeps the write from
	// happening, and an error is what the caller gets, whether or not it happened.
	onCall func(op string, n int) (effect bool, err error)
	calls  map[string]int
	// cut makes the next read end after so many objects without a proven end.
	cut      int
	busy     map[string]int // calls under way, by object
	careless bool           // accepts a second account of the same userName
	overlap  bool           // two calls for one object were under way at once
	delay    time.Duration
	lost     bool // Changes answers ErrCursorLost
	changes  *Batch
	readErr  error
	onBatch  func() // is called before each batch of a read
	// hangs, when set, is closed by the next read, which then waits for its context.
	hangs chan struct{}
}

func newFake() *fake {
	return &fake{objects: map[string]Object{}, calls: map[string]int{}, busy: map[string]int{}, cut: -1}
}

var (
	_ Reader  = (*fake)(nil)
	_ Syncer  = (*fake)(nil)
	_ Getter  = (*fake)(nil)
	_ Writer  = (*fake)(nil)
	_ Members = (*fake)(nil)
)

var fakeSchema = Schema{Types: []ObjectType{
	{Name: TypeUser, Attributes: []Attribute{
		{Name: "userName", Type: "string", Required: true},
		{Name: "email", Remote: "mail", Type: "string"},
		{Name: "emails", Remote: "mail", Type: "string", List: true, ReadOnly: true},
		{Name: "givenName", Type: "string"},
		{Name: "familyName", Type: "string"},
		{Name: "displayName", Type: "string"},
		{Name: "title", Type: "string"},
		{Name: "department", Type: "string"},
		{Name: "managerId", Remote: "manager", Type: "reference"},
	}},
	{Name: TypeGroup, Attributes: []Attribute{{Name: "displayName", Type: "string", Required: true}}},
}}

func (f *fake) Describe(context.Context) (Capabilities, error) {
	return Capabilities{Target: "fake"}, nil
}
func (f *fake) Schema(context.Context) (Schema, error) { return fakeSchema, nil }
func (f *fake) Test(context.Context) []Check           { return nil }
func (f *fake) Close() error                           { return nil }

// person puts a user there by hand, as the administrators of the target would.
func (f *fake) person(id, userName string, more ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := Object{Ref: Ref{Type: TypeUser, ID: id, Name: "name-of-" + userName}, Active: true, Version: "1"}
	o.Attributes = map[string][]string{"userName": {userName}, "mail": {userName}, "givenName": {"Given " + id}, "familyName": {"Family " + id}}
	for i := 0; i+1 < len(more); i += 2 {
		o.Attributes[more[i]] = append([]string(nil), more[i+1])
	}
	f.objects[id] = o
}

func (f *fake) team(id, name string, memberIDs ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := Object{Ref: Ref{Type: TypeGroup, ID: id, Name: name}, Attributes: map[string][]string{"displayName": {name}}, Active: true}
	for _, m := range memberIDs {
		o.Members = append(o.Members, Ref{Name: f.objects[m].Name})
	}
	f.objects[id] = o
}

func (f *fake) change(id string, fn func(*Object)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.objects[id]
	o.Attributes = maps.Clone(o.Attributes)
	fn(&o)
	f.objects[id] = o
}

func (f *fake) remove(ids ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		delete(f.objects, id)
	}
}

// byName finds a user by its userName.
func (f *fake) byName(userName string) (Object, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.objects {
		if o.Type == TypeUser && slices.Equal(o.Attributes["userName"], []string{userName}) {
			return o, true
		}
	}
	return Object{}, false
}

func (f *fake) count(typ string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, o := range f.objects {
		if o.Type == typ {
			n++
		}
	}
	return n
}

// Read yields in batches of ten, in order of ID.
func (f *fake) Read(ctx context.Context, r ReadRequest, yield func(Batch) error) (End, error) {
	f.mu.Lock()
	if f.readErr != nil {
		defer f.mu.Unlock()
		return End{}, f.readErr
	}
	var all []Object
	for _, id := range slices.Sorted(maps.Keys(f.objects)) {
		if o := f.objects[id]; o.Type == r.Type {
			all = append(all, o)
		}
	}
	if hangs := f.hangs; hangs != nil {
		f.hangs = nil
		f.mu.Unlock()
		close(hangs)
		<-ctx.Done()
		return End{}, ctx.Err()
	}
	complete := true
	if f.cut >= 0 && f.cut < len(all) {
		all, complete = all[:f.cut], false
	}
	f.mu.Unlock()
	for chunk := range slices.Chunk(all, 10) {
		if f.onBatch != nil {
			f.onBatch()
		}
		if err := yield(Batch{Objects: chunk}); err != nil {
			return End{}, err
		}
	}
	return End{Complete: complete, Cursor: []byte("full"), Total: len(all)}, ctx.Err()
}

func (f *fake) Changes(ctx context.Context, r ChangeRequest, yield func(Batch) error) (End, error) {
	f.mu.Lock()
	lost, b := f.lost, f.changes
	f.mu.Unlock()
	if lost {
		return End{}, &Error{Kind: ErrCursorLost, Op: "changes"}
	}
	if b != nil && r.Type == TypeUser {
		if err := yield(*b); err != nil {
			return End{}, err
		}
	}
	return End{Cursor: append(slices.Clone(r.Cursor), '+')}, nil
}

// call brackets one write: faults, delays, and who else is at the same object.
func (f *fake) call(op, key string, effect func() error) error {
	f.mu.Lock()
	f.calls[op]++
	n := f.calls[op]
	onCall := f.onCall
	if f.busy[key]++; f.busy[key] > 1 {
		f.overlap = true
	}
	f.mu.Unlock()
	time.Sleep(f.delay)
	happens, err := true, error(nil)
	if onCall != nil {
		happens, err = onCall(op, n)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy[key]--
	if happens {
		if e := effect(); e != nil && err == nil {
			err = e
		}
	}
	return err
}

func (f *fake) Get(_ context.Context, r Ref) (Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.objects {
		byName := r.Name != "" && (slices.Equal(o.Attributes["userName"], []string{r.Name}) || o.Name == r.Name)
		switch {
		case o.Type != r.Type:
		case r.ID != "" && o.ID == r.ID, r.ID == "" && r.ExternalID != "" && o.ExternalID == r.ExternalID, r.ID == "" && byName:
			return o, nil
		}
	}
	return Object{}, &Error{Kind: ErrNotFound, Op: "get", Status: 404, Body: "nobody here"}
}

func (f *fake) Create(_ context.Context, o Object, key Key) (ref Ref, err error) {
	err = f.call("create", string(key), func() error {
		for _, other := range f.objects {
			if !f.careless && o.Type == TypeUser && other.Type == TypeUser && slices.Equal(other.Attributes["userName"], o.Attributes["userName"]) {
				return &Error{Kind: ErrConflict, Op: "create", Status: 409, Body: "userName is taken"}
			}
		}
		f.next++
		f.creates++
		o.ID = fmt.Sprintf("made-%d", f.next)
		o.Name, o.ExternalID = "name-of-"+o.ID, string(key)
		f.objects[o.ID] = o
		ref = o.Ref
		return nil
	})
	if err != nil {
		return Ref{}, err
	}
	return ref, nil
}

func (f *fake) Update(_ context.Context, r Ref, d Delta, _ string) (string, error) {
	err := f.call("update", r.ID, func() error {
		o, ok := f.objects[r.ID]
		if !ok {
			return &Error{Kind: ErrNotFound, Op: "update", Status: 404, Body: "gone"}
		}
		o.Attributes = maps.Clone(o.Attributes)
		for name, c := range d.Set {
			if o.Attributes[name] = c.To; len(c.To) == 0 {
				delete(o.Attributes, name)
			}
		}
		if d.Active != nil {
			o.Active = *d.Active
		}
		f.objects[r.ID] = o
		f.updates = append(f.updates, d)
		return nil
	})
	return "", err
}

func (f *fake) Delete(_ context.Context, r Ref) error {
	return f.call("delete", r.ID, func() error {
		delete(f.objects, r.ID)
		return nil
	})
}

func (f *fake) PatchMembers(_ context.Context, group Ref, add, remove []Ref) error {
	return f.call("members", group.ID, func() error {
		o := f.objects[group.ID]
		gone := func(m Ref) bool {
			return slices.ContainsFunc(remove, func(r Ref) bool { return r.ID == m.ID || r.Name == m.Name })
		}
		o.Members = append(slices.DeleteFunc(slices.Clone(o.Members), gone), add...)
		f.objects[group.ID] = o
		f.members += len(add) + len(remove)
		return nil
	})
}
