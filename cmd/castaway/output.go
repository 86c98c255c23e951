package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// printJSON writes one indented document.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// keyName is a key in JSON, which has no strings but UTF-8: of another key, key is for
// people and key_base64 holds all bytes.
type keyName struct {
	Key      string `json:"key"`
	KeyBytes []byte `json:"key_base64,omitempty"`
}

func nameOf(key string) keyName {
	n := keyName{Key: key}
	if !utf8.ValidString(key) {
		n.KeyBytes = []byte(key)
	}
	return n
}

// printTable writes rows in columns, under a head.
func printTable(w io.Writer, head []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(head, "\t"))
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cells[i] = cell; cell == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

// printable shows bytes that may not be text.
func printable(b []byte) string {
	s := fmt.Sprintf("%q", b)
	if unquoted := s[1 : len(s)-1]; unquoted == string(b) {
		return string(b)
	}
	return s
}
