package directory

import (
	"encoding/base64"

	"github.com/provost-id/provost/schemas"
)

// secretPurpose separates the key of secret attributes from all others.
const secretPurpose = "schema attribute"

// sealAttribute gives a secret value the form in which it is kept: a keyed hash of what
// is hashed, everything else sealed.
func (d *Directory) sealAttribute(format, value string) string {
	if format == schemas.FormatHashed {
		return base64.RawStdEncoding.EncodeToString(d.Keys.Hash(secretPurpose, value))
	}
	return base64.RawStdEncoding.EncodeToString(d.Keys.Seal(secretPurpose, "", []byte(value)))
}
