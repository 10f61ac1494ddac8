package main

import (
	"slices"
	"sync"
	"testing"
)

// TestTurns has many wait for their turn, some of which are dropped.
func TestTurns(t *testing.T) {
	turns := &newEventLogs().turns
	var order []int // belongs to whoever has the turn
	var wg sync.WaitGroup
	for range 100 {
		turn := turns.next()
		wg.Go(func() {
			if turn%3 > 0 {
				turns.wait(turn)
				order = append(order, turn)
			}
			turns.pass(turn)
			turns.pass(turn)
		})
	}
	wg.Wait()
	if len(order) != 66 || !slices.IsSorted(order) {
		t.Errorf("the order was %v", order)
	}
}
