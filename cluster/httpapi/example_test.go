package httpapi_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"castaway/cluster/httpapi"
)

func ExampleNewHandler() {
	source := &node{ready: []httpapi.Check{{Name: "recovered"}, {Name: "leader"}}}
	handler := httpapi.NewHandler(source, slog.Default())

	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/readyz?verbose", nil))
	fmt.Print(answer.Body)
	// Output:
	// [+]recovered ok
	// [+]leader ok
	// ok
}
