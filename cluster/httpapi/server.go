package httpapi

import (
	"log/slog"
	"net/http"
	"time"
)

// Limits of the HTTP server, so that no client can hold on to its resources.
const (
	readHeaderTimeout = 2 * time.Second
	readTimeout       = 5 * time.Second
	writeTimeout      = 15 * time.Second
	idleTimeout       = time.Minute
	maxHeaderBytes    = 16 << 10
)

// NewServer is an HTTP server for the handler, with its limits set.
func NewServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}
