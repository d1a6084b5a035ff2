package directory

import (
	"time"

	"github.com/provost-id/provost/schemas"
)

// GroupType says who owns a group's membership.
type GroupType string

// The types of a group.
const (
	OrdinaryGroup GroupType = "OKTA_GROUP" // edited here
	AppGroup      GroupType = "APP_GROUP"  // imported; owned by its source
	BuiltInGroup  GroupType = "BUILT_IN"   // Everyone and Administrators
)

// Group is one stored group. Members are rows of their own and never part of Doc.
type Group struct {
	ID             string
	RID            int64
	Version        int64
	Type           GroupType
	Created        time.Time
	Modified       time.Time
	MembersChanged time.Time // zero for never
	ExternalID     string    // in the namespace of the client that asked
	Doc            []byte
}

// Name is the group's displayName.
func (g *Group) Name() string { return schemas.NameIn(g.Doc) }

// GroupRef names a group, as claims and User.groups do.
type GroupRef struct {
	ID   string
	Name string
	Type GroupType
	// Indirect says that the user is in it because it holds another group of the user's.
	Indirect bool
}

// GroupOptions decide what a new group is.
type GroupOptions struct {
	Type GroupType // OrdinaryGroup when empty
	// Origin, when set, gives the group back what it had where it was exported. Its
	// version and the time of its last change are those of a new one: members follow.
	Origin *Origin
}

// NewGroup makes the resource of a group out of its flat profile: name, description.
func (d *Directory) NewGroup(profile map[string]any) (*schemas.Resource, error) {
	return d.groupType().FromProfile(profile)
}

// GroupProfile is the flat view of a group.
func (d *Directory) GroupProfile(g *Group) (map[string]any, error) {
	r, err := d.storedGroup(g)
	if err != nil {
		return nil, err
	}
	return r.Profile(), nil
}
