package directory

import (
	"sync"
	"testing"

	"github.com/provost-id/provost/schemas/scim"
)

// An attribute goes, or somebody comes to read it: never both, whoever is first.
func TestSchema_RemovalMeetsWhoReads(t *testing.T) {
	each(t, func(t *testing.T, d *Directory) {
		g := mustCreateGroup(t, d, "Badged")
		app := mustCreateApp(t, d, "app")
		m, err := d.MappingFor(t.Context(), UserPartner, app.ID)
		check(t, err)
		readers := map[string]struct{ read, stop func() error }{
			"mapping": {
				func() error {
					_, err := d.UpdateMapping(t.Context(), manager, m.ID, map[string]*Property{"title": {Expression: "user.badge", PushStatus: DontPush}})
					return err
				},
				func() error {
					_, err := d.UpdateMapping(t.Context(), manager, m.ID, map[string]*Property{"title": nil})
					return err
				},
			},
		}
		var rule *GroupRule
		readers["rule"] = struct{ read, stop func() error }{
			func() (err error) {
				rule, err = d.CreateRule(t.Context(), manager, GroupRule{Name: "Badges", Condition: `user.badge == "x"`, Groups: []string{g.ID}})
				return err
			},
			func() error { return d.DeleteRule(t.Context(), manager, rule.ID, false) },
		}
		for name, r := range readers {
			for range 10 {
				mustDefine(t, d, scim.OrgUser, badge(nil))
				var read, removed error
				var both sync.WaitGroup
				both.Go(func() { read = r.read() })
				both.Go(func() { removed = define(d, scim.OrgUser) })
				both.Wait()
				if (read == nil) == (removed == nil) {
					t.Fatalf("%s: reads: %v, removed: %v, want one of them refused", name, read, removed)
				}
				if read == nil {
					check(t, r.stop())
					mustDefine(t, d, scim.OrgUser)
				}
				finish(t, d)
			}
		}
	})
}
