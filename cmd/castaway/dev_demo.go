package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"castaway/cluster/client"
)

// demonstrate writes a key and reads it back, over gRPC, as any client would.
func (a *app) demonstrate(ctx context.Context, endpoints []string) (err error) {
	c, err := a.connect(client.RetryPolicy{}, endpoints...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	value := []byte("written at " + time.Now().Format(time.DateTime))
	start := time.Now()
	put, err := c.Put(ctx, devKey, value)
	if err != nil {
		return err
	}
	wrote := time.Since(start)
	start = time.Now()
	got, err := c.Get(ctx, devKey)
	if err != nil {
		return err
	}
	if len(got.KVs) != 1 || !bytes.Equal(got.KVs[0].Value, value) {
		return fmt.Errorf("%s was written at revision %d, but reads back as %+v", devKey, put.Header.Revision, got.KVs)
	}
	fmt.Fprintf(a.out, "\nwrote %s at revision %d in %v, and read it back in %v: it works\n",
		devKey, put.Header.Revision, wrote.Round(10*time.Microsecond), time.Since(start).Round(10*time.Microsecond))
	return nil
}
