package limit

import (
	"sync"
	"time"
)

const (
	// Burst is how many requests may come at once.
	Burst = 20
	perSecond = 5
)

var ErrTooMany = errors.New("too many requests")

// Limiter slows clients down.
type Limiter struct {
	mu   sync.Mutex
	last map[string]time.Time
}

type Clock interface {
	Now() time.Time
}

// Wait says how long a client must wait until its next request is allowed.
func (l *Limiter) Wait(client string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.last[client].Add(time.Second / perSecond)
	return next.Sub(now)
}

func NewLimiter() *Limiter {
	return &Limiter{last: make(map[string]time.Time)}
}
