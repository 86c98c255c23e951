package main

import (
	"errors"
	"strconv"
	"strings"
)

var errQuote = errors.New("a quote does not end")

// words splits a line at spaces; a word in double quotes is read as Go would, one
// in single quotes as it is.
func words(line string) ([]string, error) {
	var list []string
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimSpace(rest) {
		var w string
		var err error
		if w, rest, err = word(rest, spaces); err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, nil
}

// spaces end a word.
const spaces = " \t"

// word reads one word, up to any of ends unless it is quoted, and gives what is
// behind it.
func word(text, ends string) (w, rest string, err error) {
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, `"`):
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return "", "", errQuote
		}
		w, err = strconv.Unquote(quoted)
		return w, text[len(quoted):], err
	case strings.HasPrefix(text, "'"):
		w, rest, ok := strings.Cut(text[1:], "'")
		if !ok {
			return "", "", errQuote
		}
		return w, rest, nil
	}
	end := strings.IndexAny(text, ends)
	if end < 0 {
		end = len(text)
	}
	return text[:end], text[end:], nil
}
