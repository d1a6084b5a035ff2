package directory

import (
	"fmt"
	"slices"

	"github.com/provost-id/provost/internal/sqldb"
)

// book says for some people why they are members of one group: by which rules, and
// whether somebody gave it by hand as well. It is read and written under the lock of
// the group.
type book struct {
	group   int64
	rules   map[int64]map[string]bool // by member: rule and whether it is kept out
	hand    map[int64]bool            // given by hand beside a rule
	members map[int64]bool

	given, taken      []grantChange
	handed, handsGone []int64
	moves             []*move
}

func readBook(tx *sqldb.Tx, group int64, people []person) (*book, error) {
	b := &book{group: group, rules: map[int64]map[string]bool{}, hand: map[int64]bool{}, members: map[int64]bool{}}
	args := make([]any, 1, len(people)+1)
	args[0] = group
	for _, p := range people {
		if !slices.Contains(args[1:], any(p.rid)) {
			args = append(args, p.rid)
		}
	}
	in := ` WHERE group_rid = $1 AND member_rid IN (` + list(2, len(args)-1) + `)`
	err := eachRow("read grants of group", func(row scanner) error {
		var rid int64
		var rule string
		var keptOut bool
		err := row.Scan(&rid, &rule, &keptOut)
		if b.rules[rid] == nil {
			b.rules[rid] = map[string]bool{}
		}
		b.rules[rid][rule] = keptOut
		return err
	})(tx.Query(`SELECT member_rid, rule_id, kept_out FROM rule_grants`+in, args...))
	if err != nil {
		return nil, err
	}
	for table, set := range map[string]map[int64]bool{"rule_hand_members": b.hand, "members": b.members} {
		rids, err := ints(tx.Query(`SELECT member_rid FROM `+table+in, args...))
		if err != nil {
			return nil, fmt.Errorf("read members: %w", err)
		}
		for _, rid := range rids {
			set[rid] = true
		}
	}
	return b, nil
}

// held counts the rules that hold a membership.
func (b *book) held(rid int64) (n int) {
	for _, keptOut := range b.rules[rid] {
		if !keptOut {
			n++
		}
	}
	return n
}

// enter enters one change. A change that is there already, or is kept out, is none.
func (b *book) enter(c grantChange) {
	rid := c.who.rid
	keptOut, there := b.rules[rid][c.rule.id]
	if c.give {
		if there {
			return
		}
		if b.held(rid) == 0 {
			b.join(c)
		}
		if b.rules[rid] == nil {
			b.rules[rid] = map[string]bool{}
		}
		b.rules[rid][c.rule.id] = false
		b.given = append(b.given, c)
		return
	}
	if !there || keptOut {
		return
	}
	delete(b.rules[rid], c.rule.id)
	b.taken = append(b.taken, c)
	if b.held(rid) == 0 {
		b.leave(c)
	}
}

// join makes somebody a member whom no rule holds yet. One who is a member already is
// one by hand.
func (b *book) join(c grantChange) {
	if b.members[c.who.rid] {
		b.hand[c.who.rid] = true
		b.handed = append(b.handed, c.who.rid)
		return
	}
	b.members[c.who.rid] = true
	m := b.moveOf(c.rule)
	m.change.Add = append(m.change.Add, c.who.id)
}

// leave ends what no rule holds any more, unless it was given by hand.
func (b *book) leave(c grantChange) {
	if b.hand[c.who.rid] {
		delete(b.hand, c.who.rid)
		b.handsGone = append(b.handsGone, c.who.rid)
		return
	}
	delete(b.members, c.who.rid)
	m := b.moveOf(c.rule)
	m.change.Remove = append(m.change.Remove, c.who.id)
}

func (b *book) moveOf(r *liveRule) *move {
	for _, m := range b.moves {
		if m.rule.id == r.id {
			return m
		}
	}
	m := &move{rule: r}
	b.moves = append(b.moves, m)
	return m
}

// write writes the entries, but for the members themselves.
func (b *book) write(tx *sqldb.Tx) error {
	for part := range slices.Chunk(b.given, chunk) {
		args := make([]any, 0, 4*len(part))
		for _, c := range part {
			args = append(args, b.group, c.who.rid, c.rule.id, false)
		}
		if _, err := tx.Exec(`INSERT INTO rule_grants (group_rid, member_rid, rule_id, kept_out)`+sqldb.ValueRows(len(part), 4), args...); err != nil {
			return fmt.Errorf("write grants: %w", err)
		}
	}
	for _, c := range b.taken {
		if _, err := tx.Exec(`DELETE FROM rule_grants WHERE group_rid = $1 AND member_rid = $2 AND rule_id = $3`, b.group, c.who.rid, c.rule.id); err != nil {
			return fmt.Errorf("take grant back: %w", err)
		}
	}
	for _, rid := range b.handed {
		if err := insertHand(tx, b.group, rid); err != nil {
			return err
		}
	}
	for _, rid := range b.handsGone {
		if _, err := tx.Exec(`DELETE FROM rule_hand_members WHERE group_rid = $1 AND member_rid = $2`, b.group, rid); err != nil {
			return fmt.Errorf("forget hand: %w", err)
		}
	}
	return nil
}

func insertHand(tx *sqldb.Tx, group, member int64) error {
	_, err := tx.Exec(`INSERT INTO rule_hand_members (group_rid, member_rid) VALUES ($1, $2) ON CONFLICT DO NOTHING`, group, member)
	if err != nil {
		return fmt.Errorf("note hand: %w", err)
	}
	return nil
}
