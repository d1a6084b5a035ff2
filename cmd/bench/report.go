package main

import (
	"fmt"
	"slices"
)

// row is one line of the report: the thing and its floor, measured in turns.
type row struct {
	what, floor string
	ours, base  []result
}

func header() {
	fmt.Printf("%-30s %10s %10s %7s %10s %8s %8s   %s\n", "what", "CPU µs", "floor µs", "ratio", "per s", "p50 ms", "p99 ms", "floor")
}

func (r row) print() {
	o, b := median(r.ours), median(r.base)
	fmt.Printf("%-30s %10.1f %10.1f %7.2f %10.0f %8.2f %8.2f   %s\n", r.what, o.cpu, b.cpu, o.cpu/b.cpu, o.rate, o.p50, o.p99, r.floor)
}

// median takes each figure's own middle of the rounds.
func median(rounds []result) result {
	mid := func(get func(result) float64) float64 {
		v := make([]float64, 0, len(rounds))
		for _, r := range rounds {
			v = append(v, get(r))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	return result{
		cpu:  mid(func(r result) float64 { return r.cpu }),
		rate: mid(func(r result) float64 { return r.rate }),
		p50:  mid(func(r result) float64 { return r.p50 }),
		p99:  mid(func(r result) float64 { return r.p99 }),

		allocs: mid(func(r result) float64 { return r.allocs }),
	}
}
