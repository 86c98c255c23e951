package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"castaway/cluster/client"
)

// shownKey is a key and its value as JSON. A value that is no text is in value_base64.
type shownKey struct {
	keyName
	Value          string `json:"value,omitempty"`
	ValueBytes     []byte `json:"value_base64,omitempty"`
	CreateRevision int64  `json:"create_revision"`
	ModRevision    int64  `json:"mod_revision"`
	Version        int64  `json:"version"`
}

// shownRange is what get and ls print as JSON.
type shownRange struct {
	Revision int64      `json:"revision"`
	Count    int64      `json:"count"`
	More     bool       `json:"more"`
	Keys     []shownKey `json:"keys"`
}

func show(r *client.GetResult) shownRange {
	s := shownRange{Revision: r.Header.Revision, Count: r.Count, More: r.More, Keys: []shownKey{}}
	for _, kv := range r.KVs {
		k := shownKey{keyName: nameOf(kv.Key), CreateRevision: kv.CreateRevision, ModRevision: kv.ModRevision, Version: kv.Version}
		if utf8.Valid(kv.Value) {
			k.Value = string(kv.Value)
		} else {
			k.ValueBytes = kv.Value
		}
		s.Keys = append(s.Keys, k)
	}
	return s
}

var errNoKey = errors.New("there is no such key")

type getOptions struct {
	prefix, serializable bool
	maxLag               time.Duration
	limit                int64
}

func (o getOptions) options() []client.GetOption {
	opts := []client.GetOption{client.Limit(o.limit)}
	if o.prefix {
		opts = append(opts, client.Prefix())
	}
	switch {
	case o.maxLag > 0:
		opts = append(opts, client.MaxLag(o.maxLag))
	case o.serializable:
		opts = append(opts, client.Serializable())
	}
	return opts
}

func (o *getOptions) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.serializable, "serializable", false, "read what one server has, which may lag behind, without asking the others")
	cmd.Flags().DurationVar(&o.maxLag, "max-lag", 0, "serializable, but see all that was acknowledged longer ago than this; no bound if zero")
	cmd.Flags().Int64Var(&o.limit, "limit", 0, "the most keys to show; all if zero")
}

func (o *getOptions) check(cmd *cobra.Command) error {
	if o.maxLag < 0 {
		return usagef(cmd.CommandPath(), "--max-lag %v makes no sense; use a duration such as 500ms, or 0 for no bound", o.maxLag)
	}
	if o.limit < 0 {
		return usagef(cmd.CommandPath(), "--limit %d makes no sense; use a number of keys, or 0 for all", o.limit)
	}
	return nil
}

func (a *app) getCommand() *cobra.Command {
	var o getOptions
	cmd := &cobra.Command{
		Use:   "get KEY",
		Short: "Read a key, or all that begin with it",
		Long: `Read a key: its value goes to stdout as it is, followed by a newline. That there is none ends with exit code 1.

Reads are linearizable: they see every write that was acknowledged before them. --serializable gives that up for speed.`,
		Example: `castaway get greeting
castaway get --prefix config/
castaway get greeting -o json`,
		Args: rangeArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return a.with(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				r, err := c.Get(ctx, args[0], o.options()...)
				if err != nil {
					return err
				}
				return a.printGet(args[0], r, o)
			})
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&o.prefix, "prefix", false, "read all keys that begin with KEY")
	return cmd
}

func (a *app) printGet(key string, r *client.GetResult, o getOptions) error {
	if len(r.KVs) == 0 && !o.prefix {
		return &hinted{fmt.Errorf("%w: %q, as of revision %d", errNoKey, key, r.Header.Revision), "`castaway ls` lists the keys"}
	}
	if a.json() {
		return printJSON(a.out, show(r))
	}
	if o.prefix {
		rows := make([][]string, 0, len(r.KVs))
		for _, kv := range r.KVs {
			rows = append(rows, []string{printable([]byte(kv.Key)), printable(kv.Value)})
		}
		return printTable(a.out, []string{"KEY", "VALUE"}, rows)
	}
	_, err := fmt.Fprintf(a.out, "%s\n", r.KVs[0].Value)
	return err
}

func (a *app) lsCommand() *cobra.Command {
	var o getOptions
	cmd := &cobra.Command{
		Use:   "ls [PREFIX]",
		Short: "List keys and their revisions",
		Example: `castaway ls
castaway ls config/ --limit 20`,
		Args: rangeArgs(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			o.prefix = true
			prefix := ""
			if len(args) > 0 {
				prefix = args[0]
			}
			return a.with(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				r, err := c.Get(ctx, prefix, append(o.options(), client.KeysOnly())...)
				if err != nil {
					return err
				}
				return a.printList(r)
			})
		},
	}
	o.flags(cmd)
	return cmd
}

func (a *app) printList(r *client.GetResult) error {
	if a.json() {
		return printJSON(a.out, show(r))
	}
	rows := make([][]string, 0, len(r.KVs))
	for _, kv := range r.KVs {
		rows = append(rows, []string{
			printable([]byte(kv.Key)), strconv.FormatInt(kv.CreateRevision, 10), strconv.FormatInt(kv.ModRevision, 10), strconv.FormatInt(kv.Version, 10),
		})
	}
	if err := printTable(a.out, []string{"KEY", "CREATED", "MODIFIED", "VERSION"}, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.errs, "%d of %d keys, as of revision %d\n", len(r.KVs), r.Count, r.Header.Revision)
	return err
}
