// Package httpapi is a node's door for people and monitoring, over HTTP:
//
//	GET /               what there is
//	GET /livez          200 while the node runs; restart it when it says otherwise
//	GET /readyz         200 when the node can serve: it has recovered, and a leader is known
//	GET /status         JSON: all that the node knows of itself
//	GET /metrics        Prometheus
//
// /livez and /readyz list their checks with ?verbose, and always when one fails:
// [+]name ok, or [-]name failed: reason.
//
// What is always true: no handler changes anything; each answers within
// [AnswerTimeout] whatever the node is doing; a panic in one ends its request only,
// with a status 500 and a line in the log; requests are bounded in size and time.
//
// The files: source (what a node tells), handler (routes, panics, time), health
// (livez, readyz), metrics (the Prometheus collector), server (limits of HTTP), small (conversions).
package httpapi
