package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"castaway/cluster"
	"castaway/cluster/client"
	"castaway/cluster/config"
)

func TestTheExitCodeKeepsDoneNotDoneAndIndeterminateApart(t *testing.T) {
	at := func(indeterminate bool) error {
		return fmt.Errorf("wrapped: %w", &client.Error{Op: "put", Key: "k", Indeterminate: indeterminate, Code: codes.Unavailable, Err: errors.New("gone")})
	}
	for what, want := range map[string]struct {
		err  error
		code int
	}{
		"done":              {nil, cluster.ExitDone},
		"not done":          {at(false), cluster.ExitNotDone},
		"indeterminate":     {at(true), cluster.ExitIndeterminate},
		"usage":             {usagef("castaway put", "no"), cluster.ExitUsage},
		"cobra's usage":     {errors.New("unknown flag: --x"), cluster.ExitUsage},
		"configuration":     {&hinted{config.ErrInvalid, "fix it"}, cluster.ExitUsage},
		"a node's own code": {fmt.Errorf("node 1: %w", cluster.ErrListen), cluster.ExitListen},
	} {
		if got := exitCode(want.err); got != want.code {
			t.Errorf("%s ends with %d, want %d", what, got, want.code)
		}
	}
}

func TestAnErrorSaysWhatToDoNext(t *testing.T) {
	for want, err := range map[string]error{
		"find out with":                 &client.Error{Indeterminate: true, Err: errors.New("gone")},
		"check --endpoints":             &client.Error{Code: codes.Unavailable, Err: errors.New("refused")},
		"a longer --timeout":            &client.Error{Code: codes.DeadlineExceeded, Err: errors.New("late")},
		"`castaway put --help`":         usagef("castaway put", "no"),
		"turn it off and on again":      &hinted{errors.New("broken"), "turn it off and on again"},
		"`castaway --help` lists the c": errors.New(`unknown command "x"`),
	} {
		var b strings.Builder
		printError(&b, err)
		if !strings.Contains(b.String(), "castaway: ") || !strings.Contains(b.String(), "next: ") || !strings.Contains(b.String(), want) {
			t.Errorf("the error lacks %q:\n%s", want, b.String())
		}
	}
}
