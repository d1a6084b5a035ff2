package schemas

import (
	"strconv"
	"time"

	"pgregory.net/rapid"
)

// words are short so that values meet, with case, accents and marks in every form.
var words = []string{
	"a", "A", "b", "work", "Work", "home", "other", "mobile", "é", "E\u0301", "É", "ß", "SS", "ﬁ",
	"isáàc.bröck", "Isaac.Brock", "İ", "ı", "日本", "כ\u05b0", "x y", `"\`, "😀", "ǆ", "ΐ",
}

func drawText(t *rapid.T) string {
	if rapid.Bool().Draw(t, "free") {
		return rapid.StringMatching(`[a-zA-Z0-9äöüéàçñøłİ'" \\]{1,12}`).Draw(t, "text")
	}
	return rapid.SampledFrom(words).Draw(t, "word")
}

// drawRoot makes the document of any valid user.
func drawRoot(t *rapid.T) node {
	root := node{attr: typ("User").root}
	drawInto(t, &root)
	root.put(node{attr: root.attr.sub("userName"), text: "u" + drawText(t)}) // blanks alone are no login
	return root
}

func drawInto(t *rapid.T, n *node) {
	for _, a := range n.attr.subs {
		if a.place != inDocument || rapid.IntRange(0, 2).Draw(t, a.Name) > 0 {
			continue
		}
		k := node{attr: a}
		switch {
		case a.MultiValued:
			for range rapid.IntRange(1, 3).Draw(t, "elements") {
				if e := drawValue(t, a); a.Type != Complex || len(e.kids) > 0 {
					k.kids = append(k.kids, e)
				}
			}
			keepOnePrimary(&k)
		default:
			k = drawValue(t, a)
		}
		if a.Type == Complex && len(k.kids) == 0 || a.MultiValued && len(k.kids) == 0 {
			continue
		}
		n.put(k)
	}
}

func keepOnePrimary(n *node) {
	seen := false
	for i := range n.kids {
		if n.kids[i].isPrimary() {
			if seen {
				n.kids[i].drop(n.attr.primary)
			}
			seen = true
		}
	}
	n.prune()
}

func drawValue(t *rapid.T, a *attr) node {
	n := node{attr: a}
	switch a.Type {
	case Complex:
		drawInto(t, &n)
	case Boolean:
		n.text = boolText(rapid.Bool().Draw(t, "bool"))
	case Integer:
		n.text = strconv.FormatInt(rapid.Int64().Draw(t, "int"), 10)
	case Decimal:
		n.text = formatDecimal(rapid.Float64().Draw(t, "float"))
	case DateTime:
		at := time.UnixMicro(rapid.Int64Range(-1e15, 4e15).Draw(t, "time")).UTC()
		n.text = at.Format(time.RFC3339Nano)
	case Binary:
		n.text = "QUJD"
	default:
		n.text = drawText(t)
		if len(a.Enum) > 0 {
			n.text = rapid.SampledFrom(a.Enum).Draw(t, "enum")
		}
	}
	return n
}
