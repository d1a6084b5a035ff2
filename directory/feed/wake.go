package feed

import "time"

// pollEvery is the longest time that a change goes unseen when no notification arrives.
const pollEvery = time.Second

// woken returns what is closed when there may be something new, and whether Run is over,
// after which nobody waits.
func (s *Service) woken() (<-chan struct{}, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wake, s.over
}

// notify wakes everybody who waits.
func (s *Service) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.wake)
	s.wake = make(chan struct{})
}

// end wakes everybody for the last time.
func (s *Service) end() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.notify()
}
