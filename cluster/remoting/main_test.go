package remoting

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain sees to it that what a Remoting starts ends with it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
