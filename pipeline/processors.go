package pipeline

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// OnAllProcessors calls do for 0 to n-1, on as many goroutines as there are processors.
func OnAllProcessors(n int, do func(i int)) {
	var wg sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}
