package main

import (
	"sync/atomic"
	"time"
)

// memory is the highest RssAnon of a server while it is watched, in MB.
type memory struct {
	pid  atomic.Int64 // 0 while there is no server
	done chan struct{}
	most chan float64
}

// watchMemory samples each second until stop.
func watchMemory() *memory {
	m := &memory{done: make(chan struct{}), most: make(chan float64)}
	go func() {
		var most float64
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			if pid := m.pid.Load(); pid != 0 {
				most = max(most, rssAnon(int(pid)))
			}
			select {
			case <-m.done:
				m.most <- most
				return
			case <-tick.C:
			}
		}
	}()
	return m
}

func (m *memory) stop() float64 {
	close(m.done)
	return <-m.most
}
