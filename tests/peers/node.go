package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

type childOptions struct {
	system, dir, peers, profile string
	id                          int
}

// voter is one server of the system under measure.
type voter interface {
	// leads says whether this voter leads and can take proposals.
	leads() bool
	// put proposes one key and value, and returns once it is applied here.
	put(ctx context.Context, key, value []byte) error
}

// runChild runs one voter, and a control door for the parent, until killed.
func runChild(o childOptions) error {
	var v voter
	var err error
	switch o.system {
	case "castaway":
		v, err = startCastaway(o.id, o.dir, strings.Split(o.peers, ","))
	case "hashicorp":
		v, err = startHashicorp(o.id, o.dir, strings.Split(o.peers, ","))
	default:
		return fmt.Errorf("-node: no system %q; there are castaway and hashicorp", o.system)
	}
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	http.HandleFunc("/leads", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(v.leads())
	})
	http.HandleFunc("/load", func(w http.ResponseWriter, r *http.Request) {
		clients, _ := strconv.Atoi(r.FormValue("clients"))
		d, err := time.ParseDuration(r.FormValue("duration"))
		if err != nil || clients < 1 {
			http.Error(w, "clients and duration are needed", http.StatusBadRequest)
			return
		}
		defer profile(o, clients)()
		res, err := load(r.Context(), v, clients, d)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(res)
	})
	fmt.Println(l.Addr())
	server := &http.Server{ReadHeaderTimeout: time.Second}
	return server.Serve(l)
}

// profile writes a CPU profile of the load that follows, if one is wanted.
func profile(o childOptions, clients int) (stop func()) {
	if o.profile == "" {
		return func() {}
	}
	f, err := os.Create(filepath.Join(o.profile, fmt.Sprintf("%s-%d.prof", o.system, clients)))
	if err != nil {
		return func() {}
	}
	_ = pprof.StartCPUProfile(f)
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}
}
