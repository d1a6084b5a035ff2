package directory

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/provost-id/provost/internal/sqldb"
	"github.com/provost-id/provost/internal/sqldb/sqldbtest"
	"github.com/provost-id/provost/schemas"
)

// envBenchUsers names the variable that holds the sizes of directory that
// BenchmarkFilter compares, as "10000,1000000".
const envBenchUsers = "PROVOST_BENCH_USERS"

// measuredFilters: the first ten may cost no more with a million users than with ten
// thousand; the others read one attribute, or find a part of everybody.
var measuredFilters = []string{
	`userName eq "user10000777@example.com"`,
	`emails.value eq "user10000777@example.com"`,
	`externalId eq "ext-10000777"`,
	`name.familyName sw "family100042"`,
	`department eq "department 107" and emails.value eq "user10000777@example.com"`,
	`userName eq "user10000777@example.com" and title pr and not (title co "x")`,
	`name.familyName sw "family100042" and (title eq "title 107" or not (active eq true))`,
	`emails.value eq "user10000777@example.com" or (externalId eq "ext-10000778" and not (nickName pr))`,
	`emails[type eq "work" and value eq "user10000777@example.com"]`,
	`emails[type eq "work"] and name.familyName sw "family100042"`,
	`userName co "0777@"`,
	`userName ew "0777@example.com"`,
	`emails.value co "0777@"`,
	`title eq "title 107"`,
	`meta.lastModified gt "2001-01-01T02:00:00Z"`,
	`not (userName eq "x")`,
	`nickName pr`,
}

// BenchmarkFilter reads the first page of a hundred, and the total, of each filter.
func BenchmarkFilter(b *testing.B) {
	sizes := os.Getenv(envBenchUsers)
	if sizes == "" {
		sizes = "10000"
	}
	engines := map[string]func(testing.TB) *sqldb.DB{"sqlite": sqldbtest.SQLite, "postgresql": sqldbtest.PostgreSQL}
	for engine, open := range engines {
		for size := range strings.SplitSeq(sizes, ",") {
			n, err := strconv.Atoi(size)
			if err != nil {
				b.Fatalf("%s: %v", envBenchUsers, err)
			}
			b.Run(fmt.Sprintf("%s/%d", engine, n), func(b *testing.B) {
				d := openDirectory(b, open(b))
				crowd(b, d, n)
				for _, filter := range measuredFilters {
					b.Run(filter, func(b *testing.B) { benchFilter(b, d, filter) })
				}
			})
		}
	}
}

func benchFilter(b *testing.B, d *Directory, filter string) {
	f, err := d.userType().ParseFilter(filter, schemas.Generic)
	if err != nil {
		b.Fatal(err)
	}
	q := ListQuery{Filter: f, Count: 100, Client: tester.Client, Base: testBase}
	found, before := 0, processorTime()
	for b.Loop() {
		p, err := d.List(b.Context(), typeUser, q)
		if err != nil {
			b.Fatal(err)
		}
		found = p.Total
	}
	b.ReportMetric(float64((processorTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(found), "found")
}

// processorTime is that of this process: PostgreSQL has its own.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
