package httpapi

import (
	"encoding/json"
	"net/http"
	"path"
	"reflect"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// document serves the OpenAPI 3.1 document, made at the first request, when every
// operation is registered. huma's own handler makes it without a lock.
func document(api huma.API) http.HandlerFunc {
	text := sync.OnceValues(func() ([]byte, error) { return json.Marshal(api.OpenAPI()) })
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := text()
		if err != nil {
			WriteError(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(b) // the client has gone; there is nobody to tell
	}
}

// schemaName names a Go type in the document after its domain too, since two manage
// packages may each have a type of the same name: huma would panic.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	domain := path.Base(t.PkgPath())
	if domain == "manage" {
		domain = path.Base(path.Dir(t.PkgPath()))
	}
	if t.Name() == "" || t.PkgPath() == "" {
		return name
	}
	return strings.ToUpper(domain[:1]) + domain[1:] + strings.ToUpper(name[:1]) + name[1:]
}
