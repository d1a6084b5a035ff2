package events

import "github.com/provost-id/provost/internal/sqldb"

// unnumbered is a batch of committed events that have no number yet, in columns.
type unnumbered struct {
	n      []int64
	bodies [][]byte
}

// stampTx gives the next numbers to the events that are committed and have none. The
// transactions that still run show theirs later and get later numbers.
func stampTx(tx *sqldb.Tx) (int, error) {
	last, err := chainHead(tx)
	if err != nil {
		return 0, err
	}
	batch, err := readUnnumbered(tx)
	if err != nil || len(batch.n) == 0 {
		return 0, err
	}
	seqs, hashes := make([]int64, len(batch.n)), make([][]byte, len(batch.n))
	for i, body := range batch.bodies {
		last = last.next(body)
		seqs[i], hashes[i] = last.seq, last.hash
	}
	_, err = tx.Exec(`UPDATE events SET seq = s.seq, hash = s.hash
		FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS s (n, seq, hash)
		WHERE events.n = s.n`, batch.n, seqs, hashes)
	return len(batch.n), err
}

func readUnnumbered(tx *sqldb.Tx) (unnumbered, error) {
	var u unnumbered
	rows, err := tx.Query(`SELECT n, body FROM events WHERE seq IS NULL ORDER BY n LIMIT $1`, stampBatch)
	if err != nil {
		return u, err
	}
	defer func() { _ = rows.Close() }() // its error is that of Err
	for rows.Next() {
		var n int64
		var body []byte
		if err := rows.Scan(&n, &body); err != nil {
			return u, err
		}
		u.n, u.bodies = append(u.n, n), append(u.bodies, body)
	}
	return u, rows.Err()
}
