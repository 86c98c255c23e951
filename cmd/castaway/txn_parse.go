package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"castaway/cluster/client"
)

var errTxnSyntax = errors.New("the transaction cannot be read")

// txnText is a transaction as text: its compares, and what to do if all of them
// hold, or otherwise.
type txnText struct {
	compares, then, otherwise []string
}

// readTxn reads etcdctl's form: three blocks of lines, each ended by an empty one:
// compares, requests on success, requests on failure. Lines that begin with # are
// comments.
func readTxn(in io.Reader) (txnText, error) {
	all, err := io.ReadAll(io.LimitReader(in, maxTxnText+1))
	if err != nil {
		return txnText{}, fmt.Errorf("the transaction could not be read from stdin: %w", err)
	}
	if len(all) > maxTxnText {
		return txnText{}, fmt.Errorf("%w: it is longer than %d bytes", errTxnSyntax, maxTxnText)
	}
	var blocks [3][]string
	block := 0
	for line := range strings.Lines(string(all)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "":
			block++
		case block >= len(blocks):
			return txnText{}, fmt.Errorf("%w: %q comes after the third block; there are compares, requests on success, requests on failure", errTxnSyntax, line)
		default:
			blocks[block] = append(blocks[block], line)
		}
	}
	return txnText{blocks[0], blocks[1], blocks[2]}, nil
}

// maxTxnText bounds what is read from stdin.
const maxTxnText = 16 << 20

// txn makes the transaction of the text.
func (t txnText) txn() (client.Txn, error) {
	var txn client.Txn
	for _, line := range t.compares {
		c, err := parseCompare(line)
		if err != nil {
			return txn, err
		}
		txn.If = append(txn.If, c)
	}
	var err error
	if txn.Then, err = parseOps(t.then); err != nil {
		return txn, err
	}
	if txn.Else, err = parseOps(t.otherwise); err != nil {
		return txn, err
	}
	if len(txn.Then)+len(txn.Else) == 0 {
		return txn, fmt.Errorf("%w: it has no request on success and none on failure, so it could do nothing", errTxnSyntax)
	}
	return txn, nil
}

// compareForm is in every error about a compare.
const compareForm = `write target("key") operator "value", with the target one of create, mod, version, value and the operator one of = != < >, like version("k") = "0"`

var compareOperators = []struct {
	text     string
	relation client.Relation
}{{"!=", client.NotEqual}, {"=", client.Equal}, {"<", client.Less}, {">", client.Greater}}

func parseCompare(line string) (client.Cond, error) {
	bad := func(what string) error {
		return fmt.Errorf("%w: the compare %q %s; %s", errTxnSyntax, line, what, compareForm)
	}
	target, rest, ok := strings.Cut(line, "(")
	if !ok {
		return client.Cond{}, bad("names no key in parentheses")
	}
	key, rest, err := word(rest, spaces+")")
	if err != nil || !strings.HasPrefix(strings.TrimSpace(rest), ")") {
		return client.Cond{}, bad("does not close the parenthesis behind its key")
	}
	rest = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(rest), ")"))
	for _, o := range compareOperators {
		if after, found := strings.CutPrefix(rest, o.text); found {
			value, tail, err := word(after, spaces)
			if err != nil || strings.TrimSpace(tail) != "" {
				return client.Cond{}, bad("has no single value behind its operator")
			}
			return compareTo(strings.TrimSpace(target), key, o.relation, value, bad)
		}
	}
	return client.Cond{}, bad("has no operator")
}

func compareTo(target, key string, is client.Relation, value string, bad func(string) error) (client.Cond, error) {
	if target == "val" || target == "value" {
		return client.Value(key, is, []byte(value)), nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return client.Cond{}, bad("compares with something that is not a whole number")
	}
	switch target {
	case "c", "create":
		return client.CreateRevision(key, is, n), nil
	case "m", "mod":
		return client.ModRevision(key, is, n), nil
	case "ver", "version":
		return client.Version(key, is, n), nil
	default:
		return client.Cond{}, bad("has an unknown target")
	}
}

const opForm = `write put KEY VALUE, get KEY [--prefix] or del KEY [--prefix], with quotes where there are spaces`

func parseOps(lines []string) ([]client.Op, error) {
	var ops []client.Op
	for _, line := range lines {
		op, err := parseOp(line)
		if err != nil {
			return nil, err
		}
		ops = append(ops, op)
	}
	return ops, nil
}

func parseOp(line string) (client.Op, error) {
	bad := func(what string) error {
		return fmt.Errorf("%w: the request %q %s; %s", errTxnSyntax, line, what, opForm)
	}
	words, err := words(line)
	if err != nil {
		return client.Op{}, bad("has a quote that does not end")
	}
	verb, args := words[0], words[1:]
	prefix := len(args) == 2 && args[1] == "--prefix"
	switch {
	case verb == "put" && len(args) == 2:
		return client.OpPut(args[0], []byte(args[1])), nil
	case verb == "get" && len(args) == 1:
		return client.OpGet(args[0]), nil
	case verb == "get" && prefix:
		return client.OpGet(args[0], client.Prefix()), nil
	case verb == "del" && len(args) == 1:
		return client.OpDelete(args[0]), nil
	case verb == "del" && prefix:
		return client.OpDelete(args[0], client.Prefix()), nil
	default:
		return client.Op{}, bad("is none that there is")
	}
}
