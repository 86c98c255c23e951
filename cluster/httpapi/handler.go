package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// AnswerTimeout is how long a handler asks the node before it answers without.
const AnswerTimeout = 900 * time.Millisecond

// NewHandler serves the source. Collectors are added to /metrics, beside the
// node's own.
func NewHandler(source Source, logger *slog.Logger, more ...prometheus.Collector) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &collector{source: source})
	registry.MustRegister(more...)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	mux.Handle("GET /livez", health(source.Live))
	mux.Handle("GET /readyz", health(source.Ready))
	mux.HandleFunc("GET /status", status(source))
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn)}))
	return recovering(mux, logger)
}

const indexText = `castaway: what this node tells over HTTP

/livez            is it alive? (?verbose lists the checks)
/readyz           can it serve? (?verbose lists the checks)
/status           all that it knows of itself, as JSON
/metrics          for Prometheus

Keys and values are served over gRPC, by etcd's v3 API; /status says where.
`

func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, indexText)
}

func status(source Source) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), AnswerTimeout)
		defer cancel()
		body, err := json.MarshalIndent(source.Report(ctx), "", "  ")
		if err != nil {
			http.Error(w, "the status cannot be written as JSON: "+err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(body, '\n')) // the client is gone, then
	}
}

// recovering answers a panic with a 500, so that no request can end the node.
func recovering(next http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(p)
			}
			logger.Error("an HTTP handler panicked; the request failed, the node goes on", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			http.Error(w, "this request made the handler panic; the node's log has the stack", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}
