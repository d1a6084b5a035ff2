package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/provost-id/provost"

const (
	maxFileLines = 500
	maxFuncLines = 60
)

// source is one Go file of the module.
type source struct {
	path  string // from the module's root, with slashes
	dir   string // the package's import path within the module
	test  bool
	lines int
	file  *ast.File
	set   *token.FileSet
}

// sources parses every Go file of the module, its nested modules and test data left out.
func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var all []source
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && leaveOut(path, d.Name()) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		s, err := parse(root, path)
		all = append(all, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d files found: the walk is wrong", len(all))
	}
	return all
}

func leaveOut(path, name string) bool {
	if name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") {
		return true
	}
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil
}

func parse(root, path string) (source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return source{}, err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		return source{}, err
	}
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return source{}, err
	}
	rel = filepath.ToSlash(rel)
	dir := rel[:max(strings.LastIndex(rel, "/"), 0)]
	return source{path: rel, dir: dir, test: strings.HasSuffix(rel, "_test.go"), lines: strings.Count(string(text), "\n"), file: file, set: set}, nil
}

// imports are the paths that a file imports.
func (s source) imports() []string {
	var all []string
	for _, spec := range s.file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil { // the parser let it pass
			panic(err)
		}
		all = append(all, path)
	}
	return all
}

// ours are the packages of the module that a file imports, within the module.
func (s source) ours() []string {
	var all []string
	for _, path := range s.imports() {
		if within, ok := strings.CutPrefix(path, module+"/"); ok {
			all = append(all, within)
		}
	}
	return all
}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || strings.HasPrefix(s.dir, "cmd/") {
			continue
		}
		row, known := allowed[s.dir]
		if !known {
			t.Errorf("%s: package %s has no row in the table of imports", s.path, s.dir)
			continue
		}
		for _, imported := range s.ours() {
			if !slices.Contains(row, imported) {
				t.Errorf("%s: %s may not import %s", s.path, s.dir, imported)
			}
		}
	}
}

// The program links no package that is for tests, and no code of ours outside such
// packages uses the testing library (some modules of others do).
func TestProgramLinksNoTestHelper(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", module+"/cmd/provost").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, module+"/internal/sqldb") {
		t.Fatalf("go list shows %d packages and not ours", len(deps))
	}
	for _, h := range helpers {
		if slices.Contains(deps, module+"/"+h) {
			t.Errorf("cmd/provost links %s", h)
		}
	}
	for _, s := range sources(t) {
		if s.test || slices.Contains(helpers, s.dir) {
			continue
		}
		for _, path := range s.imports() {
			if path == "testing" || path == "net/http/httptest" {
				t.Errorf("%s imports %s", s.path, path)
			}
		}
	}
}

// Every package says in its comment what it owns.
func TestPackageComments(t *testing.T) {
	said := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		want := "Package " + s.file.Name.Name + " "
		if s.file.Name.Name == "main" {
			want = "Command " + s.dir[strings.LastIndex(s.dir, "/")+1:] + " "
		}
		said[s.dir] = said[s.dir] || strings.HasPrefix(s.file.Doc.Text(), want)
	}
	for dir, ok := range said {
		if !ok {
			t.Errorf("%s: no package comment that begins as it should", dir)
		}
	}
}

func TestLengths(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > maxFileLines {
			t.Errorf("%s has %d lines, at most %d: split it by subject", s.path, s.lines, maxFileLines)
		}
		if s.test {
			continue // tables of cases are long and simple
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; n > maxFuncLines {
				t.Errorf("%s: func %s has %d lines, at most %d", s.path, f.Name.Name, n, maxFuncLines)
			}
		}
	}
}
