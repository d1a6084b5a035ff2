package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/provost-id/provost/schemas"
	wire "github.com/provost-id/provost/schemas/scim"
)

// Limits of a bulk request (RFC 7644, section 3.7.4).
const (
	maxBulkOperations = 1000
	maxBulkPayload    = 8 << 20
)

// bulkDecoder reads a bulk request from a stream, one operation after the other: what
// it keeps are the operations, and it ends at the first one too many.
type bulkDecoder struct {
	*json.Decoder
	dialect schemas.Dialect

	schemas      []string
	failOnErrors int // 0 for any number
	operations   []*bulkOperation
	names        []string // of the message, as they came
}

// decodeBulk reads a bulk request. What is wrong with one operation stands there; an
// error says that the body is no bulk request, or beyond the limits.
func decodeBulk(body io.Reader, d schemas.Dialect) (*bulkDecoder, error) {
	b := &bulkDecoder{Decoder: json.NewDecoder(body), dialect: d}
	if err := b.message(); err != nil {
		return nil, b.malformed(err)
	}
	return b, b.check()
}

// malformed turns what json.Decoder says into an error of the protocol.
func (b *bulkDecoder) malformed(err error) error {
	var status *statusError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &status), isSchemaError(err):
		return err
	case errors.As(err, &tooLarge):
		return beyondPayload()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest(schemas.InvalidSyntax, "malformed JSON: the body ends too early")
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return badRequest(schemas.InvalidSyntax, fmt.Sprintf("malformed JSON at byte %d: %v", syntax.Offset, syntax))
	}
	return badRequest(schemas.InvalidSyntax, "the request body could not be read")
}

func isSchemaError(err error) bool {
	var invalid *schemas.Error
	return errors.As(err, &invalid)
}

// beyondPayload and beyondOperations name the limit, as RFC 7644, section 3.7.4, demands.
func beyondPayload() error {
	return &statusError{
		status: http.StatusRequestEntityTooLarge,
		detail: fmt.Sprintf("the size of the bulk request exceeds the maxPayloadSize (%d)", maxBulkPayload),
	}
}

func beyondOperations() error {
	return &statusError{
		status: http.StatusRequestEntityTooLarge,
		detail: fmt.Sprintf("the number of operations exceeds maxOperations (%d)", maxBulkOperations),
	}
}

// message reads the whole body.
func (b *bulkDecoder) message() error {
	if err := b.open('{', "the body is no JSON object"); err != nil {
		return err
	}
	for b.More() {
		name, err := b.name()
		if err != nil {
			return err
		}
		if err := b.member(name); err != nil {
			return err
		}
	}
	if _, err := b.Token(); err != nil { // the closing brace
		return err
	}
	if _, err := b.Token(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = badRequest(schemas.InvalidSyntax, "malformed JSON: something after the value")
		}
		return err
	}
	return nil
}

// open reads the beginning of an object or array.
func (b *bulkDecoder) open(delim json.Delim, otherwise string) error {
	t, err := b.Token()
	if err == nil && t != delim {
		err = badRequest(schemas.InvalidSyntax, otherwise)
	}
	return err
}

// name reads the name of a member, which comes once in any case.
func (b *bulkDecoder) name() (string, error) {
	t, err := b.Token()
	if err != nil {
		return "", err
	}
	name, _ := t.(string) // a name always is
	if slices.ContainsFunc(b.names, func(have string) bool { return strings.EqualFold(have, name) }) {
		return "", badRequest(schemas.InvalidSyntax, fmt.Sprintf("malformed JSON: the name %q twice in one object", name))
	}
	if b.names = append(b.names, name); len(b.names) > maxBulkMembers {
		return "", badRequest(schemas.InvalidSyntax, fmt.Sprintf("more than %d members in a bulk request", maxBulkMembers))
	}
	return name, nil
}

// maxBulkMembers bounds the names that are remembered; the protocol has three.
const maxBulkMembers = 20

func (b *bulkDecoder) member(name string) error {
	switch {
	case strings.EqualFold(name, "schemas"):
		return b.value(name, "array of strings", &b.schemas)
	case strings.EqualFold(name, "failOnErrors"):
		var n *int
		if err := b.value(name, "integer", &n); err != nil || n == nil {
			return err
		}
		if b.failOnErrors = *n; *n < 1 {
			return badRequest(schemas.InvalidValue, fmt.Sprintf("failOnErrors: want at least 1, got %d", *n))
		}
		return nil
	case strings.EqualFold(name, "Operations"):
		return b.all()
	}
	return b.Decode(new(json.RawMessage)) // a member that no version of the message has
}

// value reads the value of a member.
func (b *bulkDecoder) value(name, want string, into any) error {
	err := b.Decode(into)
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		got, _, _ := strings.Cut(typ.Value, " ") // a number stands behind its name
		return badRequest(schemas.InvalidValue, fmt.Sprintf("%s: want %s, got %s", name, want, got))
	}
	return err
}

func (b *bulkDecoder) all() error {
	if err := b.open('[', "Operations: want array"); err != nil {
		return err
	}
	for b.More() {
		if len(b.operations) == maxBulkOperations {
			return beyondOperations()
		}
		var raw json.RawMessage
		if err := b.Decode(&raw); err != nil {
			return err
		}
		b.operations = append(b.operations, newBulkOperation(raw))
	}
	_, err := b.Token() // the closing bracket
	return err
}

// check looks at the message as a whole.
func (b *bulkDecoder) check() error {
	named := slices.ContainsFunc(b.schemas, func(s string) bool { return strings.EqualFold(s, wire.MessageBulk) })
	if !named && (len(b.schemas) > 0 || !b.dialect.OptionalSchemas) {
		return badRequest(schemas.InvalidSyntax, fmt.Sprintf("schemas: want %q", wire.MessageBulk))
	}
	if len(b.operations) == 0 {
		return badRequest(schemas.InvalidSyntax, "Operations: want at least one")
	}
	return nil
}
