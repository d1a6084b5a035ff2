package directory

import (
	"context"
	"fmt"

	"github.com/provost-id/provost/schemas"
)

// Members returns up to limit members of a group in order of their creation, after the
// user with the ID after. next is empty at the end.
func (d *Directory) Members(ctx context.Context, groupID, after string, limit int) (members []Member, next string, err error) {
	rows, err := d.DB.Query(ctx, `SELECT r.id, (SELECT d.doc FROM documents d WHERE d.rid = r.rid)
		FROM members m JOIN resources r ON r.rid = m.member_rid
		WHERE m.group_rid = (SELECT rid FROM resources WHERE id = $1 AND type = 'Group')
			AND m.member_rid > COALESCE((SELECT rid FROM resources WHERE id = $2), 0)
		ORDER BY m.member_rid LIMIT $3`, groupID, after, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("read members: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells what matters
	for rows.Next() {
		var m Member
		var doc []byte
		if err := rows.Scan(&m.ID, &doc); err != nil {
			return nil, "", fmt.Errorf("read members: %w", err)
		}
		m.Name = schemas.NameIn(doc)
		members = append(members, m)
	}
	if len(members) > limit {
		members = members[:limit]
		next = members[limit-1].ID
	}
	return members, next, rows.Err()
}
