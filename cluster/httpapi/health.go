package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// health answers 200 or 503 from checks, and lists them if asked or if one failed.
func health(checks func(context.Context) []Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), AnswerTimeout)
		defer cancel()
		list, failed := write(checks(ctx))
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if failed > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintf(w, "%s%s failed: %d\n", list, strings.Trim(r.URL.Path, "/"), failed)
			return
		}
		if r.URL.Query().Has("verbose") {
			fmt.Fprint(w, list)
		}
		fmt.Fprintln(w, "ok")
	})
}

func write(checks []Check) (list string, failed int) {
	var b strings.Builder
	for _, c := range checks {
		if c.Err != nil {
			failed++
			fmt.Fprintf(&b, "[-]%s failed: %v\n", c.Name, c.Err)
			continue
		}
		fmt.Fprintf(&b, "[+]%s ok\n", c.Name)
	}
	return b.String(), failed
}
