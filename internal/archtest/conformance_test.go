package archtest

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// quoted is a name in a cell of docs/conformance.md.
var quoted = regexp.MustCompile("`([^`]+)`")

// TestConformance_NamesTestsThatExist: docs/conformance.md promises a test for a clause; one
// that has been renamed or moved would promise nothing.
func TestConformance_NamesTestsThatExist(t *testing.T) {
	tests := testsByPackage(t)
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "conformance.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for n, line := range strings.Split(string(doc), "\n") {
		dir := "" // the package that the line named last; empty for any
		for _, m := range quoted.FindAllStringSubmatch(line, -1) {
			switch name := m[1]; {
			case tests[name] != nil:
				dir = name
			case strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz"):
				named++
				if !knows(tests, dir, name) {
					t.Errorf("docs/conformance.md:%d: there is no test %s in %q", n+1, name, dir)
				}
			}
		}
	}
	if named < 100 {
		t.Errorf("only %d tests are named: the document is read wrongly", named)
	}
}

// knows finds a test by its name, or one that begins with what stands before a * or an
// ellipsis. Of a subtest the name of the test counts.
func knows(tests map[string]map[string]bool, dir, name string) bool {
	name, _, _ = strings.Cut(name, "/")
	prefix, open := name, false
	for _, mark := range []string{"*", "…"} {
		if before, ok := strings.CutSuffix(name, mark); ok {
			prefix, open = before, true
		}
	}
	for pkg, names := range tests {
		if dir != "" && pkg != dir {
			continue
		}
		if !open && names[name] {
			return true
		}
		for known := range names {
			if open && strings.HasPrefix(known, prefix) {
				return true
			}
		}
	}
	return false
}

// testsByPackage are the tests and fuzz targets of each directory with Go files.
func testsByPackage(t *testing.T) map[string]map[string]bool {
	t.Helper()
	tests := map[string]map[string]bool{}
	for _, s := range sources(t) {
		dir := filepath.ToSlash(filepath.Dir(s.path))
		if tests[dir] == nil {
			tests[dir] = map[string]bool{}
		}
		for _, decl := range s.file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && s.test && fn.Recv == nil {
				tests[dir][fn.Name.Name] = true
			}
		}
	}
	return tests
}
