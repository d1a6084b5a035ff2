package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// browser is a person's browser without JavaScript: cookies, redirects, forms. It
// stops at a callback instead of following it to an application.
type browser struct {
	client   *http.Client
	callback string
}

func newBrowser(callback string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	b := &browser{callback: callback}
	b.client = &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) > 20 {
			return errors.New("more than 20 redirects")
		}
		if strings.HasPrefix(req.URL.String(), b.callback) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b, nil
}

// page is what the browser shows: a form to fill in, or the callback it came to.
type page struct {
	url      *url.URL
	callback *url.URL
	forms    []form
	text     string
}

type form struct {
	action *url.URL
	method string
	fields url.Values
	submit []string // values of the buttons
}

func (b *browser) open(ctx context.Context, address string) (*page, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		return nil, err
	}
	return b.do(req)
}

// submit sends a form with the fields of the person put over those it came with.
func (b *browser) submit(ctx context.Context, f form, over url.Values) (*page, error) {
	for name := range over {
		f.fields.Set(name, over.Get(name))
	}
	req, err := http.NewRequestWithContext(ctx, f.method, f.action.String(), strings.NewReader(f.fields.Encode()))
	if err != nil {
		return nil, err
	}
	if f.method == http.MethodGet {
		f.action.RawQuery = f.fields.Encode()
		return b.open(ctx, f.action.String())
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", f.action.Scheme+"://"+f.action.Host)
	return b.do(req)
}

func (b *browser) do(req *http.Request) (*page, error) {
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	p := &page{url: resp.Request.URL, text: string(body)}
	if location, err := resp.Location(); err == nil && strings.HasPrefix(location.String(), b.callback) {
		p.callback = location
		return p, nil
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d: %s", resp.Request.URL, resp.StatusCode, body)
	}
	root, err := html.Parse(strings.NewReader(p.text))
	if err != nil {
		return nil, err
	}
	p.collect(root, nil)
	return p, nil
}

// collect finds the forms of a page and their inputs.
func (p *page) collect(n *html.Node, in *form) {
	if n.Type == html.ElementNode {
		switch n.Data {
		case "form":
			action, err := p.url.Parse(attr(n, "action"))
			if err != nil {
				return
			}
			p.forms = append(p.forms, form{action: action, method: strings.ToUpper(attr(n, "method")), fields: url.Values{}})
			in = &p.forms[len(p.forms)-1]
		case "input", "button":
			p.addField(n, in)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		p.collect(c, in)
	}
}

func (p *page) addField(n *html.Node, in *form) {
	name := attr(n, "name")
	switch {
	case in == nil || name == "":
	case n.Data == "button" || attr(n, "type") == "submit":
		in.submit = append(in.submit, name+"="+attr(n, "value"))
	default:
		in.fields.Add(name, attr(n, "value"))
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// with returns the form that has all the inputs.
func (p *page) with(inputs ...string) (form, bool) {
	for _, f := range p.forms {
		all := true
		for _, name := range inputs {
			all = all && f.fields.Has(name)
		}
		if all {
			return f, true
		}
	}
	return form{}, false
}

// signIn fills in username and password, on one page or one after the other.
func (b *browser) signIn(ctx context.Context, p *page, login, password string) (*page, error) {
	values := url.Values{"username": {login}, "password": {password}}
	for range 3 {
		if f, ok := p.with("username", "password"); ok {
			return b.submit(ctx, f, values)
		}
		f, ok := p.with("password")
		if !ok {
			if f, ok = p.with("username"); !ok {
				break
			}
			next, err := b.submit(ctx, f, url.Values{"username": {login}})
			if err != nil {
				return nil, err
			}
			p = next
			continue
		}
		return b.submit(ctx, f, url.Values{"password": {password}})
	}
	return nil, fmt.Errorf("%s shows no sign-in form: %s", p.url, p.text)
}
