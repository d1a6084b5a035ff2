package schemas

import "bytes"

// The functions here walk canonical JSON, which Doc made: no white space, names as
// the schema spells them and without escapes.

// members copies the members of a document that are asked for.
func (w *writer) members(doc []byte) {
	at := 1 // after the brace
	for at < len(doc) && doc[at] != '}' {
		if doc[at] == ',' {
			at++
		}
		at = w.member(w.t.root, doc, at)
	}
}

// member copies the member at doc[at], or skips it, and returns where it ends.
func (w *writer) member(parent *attr, doc []byte, at int) int {
	nameEnd := at + 1 + bytes.IndexByte(doc[at+1:], '"')
	value := nameEnd + 2 // after the quote and the colon
	end := skipValue(doc, value)
	a := parent.sub(string(doc[at+1 : nameEnd]))
	if a == nil || a.place == isSchemas {
		return end
	}
	switch w.p.shows[a.id] {
	case showAll:
		w.separate()
		w.dst = append(w.dst, doc[at:end]...)
		w.uses(a)
	case showPart:
		w.part(a, doc[at:value], doc[value:end])
	}
	return end
}

func (w *writer) separate() {
	if !w.empty {
		w.dst = append(w.dst, ',')
	}
	w.empty = false
}

// uses notes that an extension is part of the result.
func (w *writer) uses(a *attr) {
	if a.extends {
		w.used = append(w.used, a.Name)
	}
}

// part copies some sub-attributes of a complex value; name is `"name":`. When none of
// them is there, nothing is written.
func (w *writer) part(a *attr, name, value []byte) {
	start, empty := len(w.dst), w.empty
	w.separate()
	w.dst = append(w.dst, name...)
	wrote := false
	if a.MultiValued {
		wrote = w.partElements(a, value)
	} else {
		wrote = w.partObject(a, value)
	}
	w.empty = false
	if !wrote {
		w.dst, w.empty = w.dst[:start], empty
		return
	}
	w.uses(a)
}

func (w *writer) partElements(a *attr, value []byte) bool {
	w.dst = append(w.dst, '[')
	wrote := false
	for at := 1; at < len(value) && value[at] != ']'; {
		if value[at] == ',' {
			at++
		}
		end := skipValue(value, at)
		start := len(w.dst)
		if wrote {
			w.dst = append(w.dst, ',')
		}
		if w.partObject(a, value[at:end]) {
			wrote = true
		} else {
			w.dst = w.dst[:start]
		}
		at = end
	}
	w.dst = append(w.dst, ']')
	return wrote
}

func (w *writer) partObject(a *attr, value []byte) bool {
	w.dst = append(w.dst, '{')
	w.empty = true
	for at := 1; at < len(value) && value[at] != '}'; {
		if value[at] == ',' {
			at++
		}
		at = w.member(a, value, at)
	}
	w.dst = append(w.dst, '}')
	return !w.empty
}

// skipValue returns where the value at b[at] ends.
func skipValue(b []byte, at int) int {
	depth := 0
	for at < len(b) {
		switch b[at] {
		case '"':
			at = skipString(b, at)
			if depth == 0 {
				return at
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return at // the end of the object around a bare value
			}
			if depth--; depth == 0 {
				return at + 1
			}
		case ',':
			if depth == 0 {
				return at
			}
		}
		at++
	}
	return at
}

func skipString(b []byte, at int) int {
	for at++; at < len(b); at++ {
		switch b[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return at
}
