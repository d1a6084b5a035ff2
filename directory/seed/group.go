package seed

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/provost-id/provost/internal/id"
)

// purposes are what groups are for.
var purposes = []string{"Readers", "Editors", "Owners", "On call", "Announcements", "Book club", "Visitors", "Auditors", "Project", "Laptop pool", "VPN", "Badge access"}

// skew is the exponent of the power law of sizes (Zipf): few groups are very large, and
// most have a handful of members.
const skew = 0.9

// mean is how many members a group has on average.
const mean = 10

// groupName names the n-th group.
func (m *maker) groupName(n int) string {
	r := m.draw(ofGroup, n)
	return fmt.Sprintf("%s %s %s %d", pick(r, places).town, pick(r, units).name, pick(r, purposes), n+1)
}

func (m *maker) groupID(n int) string { return m.idOf(id.Group, ofGroupID, n) }

// sizes are the numbers of members of so many groups, the largest first.
func (m *maker) sizes(groups int) []int {
	sum := 0.0
	for n := range groups {
		sum += math.Pow(float64(n+1), -skew)
	}
	all := make([]int, groups)
	for n := range all {
		size := float64(mean*groups) * math.Pow(float64(n+1), -skew) / sum
		all[n] = min(max(int(math.Round(size)), 1), m.users)
	}
	return all
}

// members are the numbers of size people in the n-th group, in order.
func (m *maker) members(n, size int) []int {
	r := m.draw(ofMembers, n)
	if size*3 > m.users {
		return slices.Sorted(slices.Values(r.Perm(m.users)[:size]))
	}
	chosen := make(map[int]bool, size)
	for len(chosen) < size {
		chosen[nearby(r, m.users)] = true
	}
	all := make([]int, 0, size)
	for who := range chosen {
		all = append(all, who)
	}
	slices.Sort(all)
	return all
}

// nearby draws somebody, those who came early more often: they are in more groups.
func nearby(r *rand.Rand, users int) int {
	return min(int(float64(users)*math.Pow(r.Float64(), 1.5)), users-1)
}
