package transfer

import (
	"github.com/provost-id/provost/directory"
	"github.com/provost-id/provost/schemas"
)

// record is one resource of a file.
type record struct {
	n    int64 // which record of the file, from 1
	line int64
	typ  *schemas.Type
	ref  string        // what others in the file call it, "" for nothing of its own
	by   directory.Key // by what an Upsert finds it
	key  string        // and the value of that

	res  *schemas.Resource                                      // as a new resource
	next func(was *schemas.Resource) (*schemas.Resource, error) // as a change of the one that is there
	opts directory.CreateOptions                                // of a user; the origin, of all
	kind directory.GroupType                                    // of a group
	refs bool                                                   // it has members, which come in the second pass

	fault error // why it cannot be taken; then most of the above is missing
	raw   any   // as the format has it, for the reject file
}

// links are the references of a record, or a part of them.
type links struct {
	step    int64 // of the second pass
	n       int64
	line    int64
	to      string   // "" when the record itself is meant, else what the file calls it
	members []string // as the file calls them
	manager string
	raw     any // for the reject file, without the members
}

// decoder makes records of one format. read goes on to the next; what is malformed is a
// *Fault. Then record or links say what it holds, valid until the next read.
type decoder interface {
	read() error
	at() (n, line int64)
	record() *record
	links() *links
}

// managerName is the profile attribute that refers to another user.
const managerName = "managerId"

// linkPart is how many references are made at a time.
const linkPart = 1000
