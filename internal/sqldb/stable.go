package sqldb

/*
#cgo linux LDFLAGS: -Wl,--unresolved-symbols=ignore-in-object-files
#cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup

// Both are in the SQLite that go-sqlite3 brings.
int sqlite3_auto_extension(void (*entry)(void));
int sqlite3_db_config(void *db, int op, ...);

enum { SQLITE_DBCONFIG_ENABLE_QPSG = 1007 };

static int stable_plans(void *db, char **message, const void *api) {
	return sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, (int *)0);
}

static int use_stable_plans(void) {
	return sqlite3_auto_extension((void (*)(void))stable_plans);
}
*/
import "C"

import (
	"fmt"
	"sync"
)

// stablePlans has every connection of SQLite keep the plan of a prepared statement,
// whatever is bound to it. Without, SQLite looks at the values of parameters to guess how
// many rows they select, and prepares a statement anew at almost every execution: half of
// the cost of a look-up. Our plans do not depend on values (see the tests of plans), and
// the setting has no pragma.
var stablePlans = sync.OnceValue(func() error {
	if code := C.use_stable_plans(); code != 0 {
		return fmt.Errorf("sqlite: stable plans: error %d", int(code))
	}
	return nil
})
