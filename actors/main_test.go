package actors

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain sees to it that no goroutine outlives its host.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
