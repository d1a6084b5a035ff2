package ldap

import "github.com/provost-id/provost/provisioning"

// maxBatchBytes bounds a batch beside its number of objects: a few groups can be large.
const maxBatchBytes = 4 << 20

// batcher gathers what a read finds and hands it on in bounded batches.
type batcher struct {
	yield func(provisioning.Batch) error
	batch provisioning.Batch
	bytes int
}

func (b *batcher) object(o provisioning.Object) error {
	b.batch.Objects = append(b.batch.Objects, o)
	b.bytes += size(o)
	return b.full()
}

func (b *batcher) deleted(r provisioning.Ref) error {
	b.batch.Deleted = append(b.batch.Deleted, r)
	return b.full()
}

func (b *batcher) present(id string) error {
	b.batch.Present = append(b.batch.Present, id)
	return b.full()
}

// full hands the batch on when it has reached a bound.
func (b *batcher) full() error {
	n := max(len(b.batch.Objects), len(b.batch.Deleted), len(b.batch.Present))
	if n < provisioning.MaxBatch && b.bytes < maxBatchBytes {
		return nil
	}
	return b.flush()
}

// flush hands on what there is.
func (b *batcher) flush() error {
	full := b.batch
	b.batch, b.bytes = provisioning.Batch{}, 0
	if len(full.Objects)+len(full.Deleted)+len(full.Present) == 0 {
		return nil
	}
	return b.yield(full)
}

func size(o provisioning.Object) int {
	n := len(o.Name)
	for name, values := range o.Attributes {
		n += len(name)
		for _, v := range values {
			n += len(v)
		}
	}
	for _, m := range o.Members {
		n += len(m.Name)
	}
	return n
}
