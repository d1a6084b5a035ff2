package story

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Cluster is two nodes on one PostgreSQL database behind a balancer that gives every
// request to the other node than the one before: no node sees a whole flow.
type Cluster struct {
	Nodes    [2]*Server
	balancer *http.Server
	next     atomic.Int64
}

// StartCluster starts the nodes and returns the cluster as one server.
func StartCluster(ctx context.Context, binary, dir, databaseURL string) (*Server, *Cluster, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	public := "http://" + l.Addr().String()
	c := &Cluster{}
	for i, name := range []string{"node1", "node2"} {
		args := []string{"--database-url", databaseURL, "--public-url", public,
			"--master-key", "file:" + filepath.Join(dir, "node1", "master.key")}
		if c.Nodes[i], err = Start(ctx, binary, filepath.Join(dir, name), args...); err != nil {
			return nil, nil, errors.Join(err, c.Stop(), l.Close())
		}
	}
	c.balancer = &http.Server{Handler: c.proxy(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = c.balancer.Serve(l) }() // ends by Close in Stop
	return &Server{URL: public, Token: c.Nodes[0].Token, Dir: dir, stop: c.Stop}, c, nil
}

func (c *Cluster) proxy() http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		node := c.Nodes[c.next.Add(1)%int64(len(c.Nodes))]
		u, err := url.Parse(node.URL)
		if err != nil {
			return // then the request goes nowhere and fails
		}
		r.SetURL(u)
		r.Out.Host = r.In.Host
	}}
}

// Stop stops the balancer and the nodes.
func (c *Cluster) Stop() error {
	var errs []error
	if c.balancer != nil {
		errs = append(errs, c.balancer.Close())
	}
	for _, n := range c.Nodes {
		if n != nil {
			errs = append(errs, n.Stop())
		}
	}
	return errors.Join(errs...)
}
