package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Config is everything an operator can set: a flag, PROVOST_... in the environment,
// or a key of the same name in the YAML file, in this order of authority.
type Config struct {
	DataDir       string   `koanf:"data-dir"`
	Listen        string   `koanf:"listen"`
	OpsListen     string   `koanf:"ops-listen"`
	PublicURL     string   `koanf:"public-url"`
	DatabaseURL   string   `koanf:"database-url"`
	MasterKey     string   `koanf:"master-key"`
	OutboundAllow []string `koanf:"outbound-allow"`
	TrustedProxy  []string `koanf:"trusted-proxy"`
	TLSCert       string   `koanf:"tls-cert"`
	TLSKey        string   `koanf:"tls-key"`

	outboundAllow []netip.Prefix
	trustedProxy  []netip.Prefix
}

func addConfigFlags(f *pflag.FlagSet) {
	f.String("config", "", "YAML `file` with the same keys as the flags")
	f.String("data-dir", "./provost-data", "`directory` of database, master key and bootstrap token")
	f.String("listen", "127.0.0.1:8080", "`address` to serve on; :0 picks a port")
	f.String("ops-listen", "127.0.0.1:0", "`address` of metrics and profiles")
	f.String("public-url", "", "`URL` under which people and clients reach this server")
	f.String("database-url", "", "PostgreSQL `URL`; without it SQLite in the data directory")
	f.String("master-key", "", "file:`PATH` or env:NAME (default file:DIR/master.key, made on first start)")
	f.StringSlice("outbound-allow", nil, "`CIDR`s that outbound HTTP may reach although private")
	f.StringSlice("trusted-proxy", nil, "`CIDR`s whose X-Forwarded-For is believed")
	f.String("tls-cert", "", "certificate `file` (PEM)")
	f.String("tls-key", "", "key `file` of the certificate (PEM)")
}

// configKeys are the keys of Config, by which unknown ones are told.
var configKeys = []string{"data-dir", "listen", "ops-listen", "public-url", "database-url", "master-key",
	"outbound-allow", "trusted-proxy", "tls-cert", "tls-key"}

// loadConfig reads flags, environment and file, and checks the result.
func loadConfig(cmd *cobra.Command) (*Config, error) {
	k := koanf.New("\x00") // no nesting: no key contains NUL
	if err := loadFile(k, configPath(cmd)); err != nil {
		return nil, err
	}
	for _, key := range configKeys {
		if err := overlay(k, cmd.Flags().Lookup(key)); err != nil {
			return nil, err
		}
	}
	var c Config
	err := k.UnmarshalWithConf("", &c, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: &c, TagName: "koanf", ErrorUnused: true, WeaklyTypedInput: true,
		DecodeHook: mapstructure.StringToSliceHookFunc(","),
	}})
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return &c, c.Check()
}

func configPath(cmd *cobra.Command) string {
	if f := cmd.Flags().Lookup("config"); f.Changed {
		return f.Value.String()
	}
	return os.Getenv("PROVOST_CONFIG")
}

func loadFile(k *koanf.Koanf, path string) error {
	if path == "" {
		return nil
	}
	if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
		return fmt.Errorf("configuration %s: %w", path, err)
	}
	for _, key := range k.Keys() {
		if name := strings.Split(key, "\x00")[0]; !slices.Contains(configKeys, name) {
			return fmt.Errorf("configuration %s: unknown key %q", path, name)
		}
	}
	return nil
}

// overlay puts a flag that was given, or its environment variable, over the file.
func overlay(k *koanf.Koanf, f *pflag.Flag) error {
	env, inEnv := os.LookupEnv("PROVOST_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")))
	switch {
	case f.Changed, !inEnv && !k.Exists(f.Name):
		return k.Set(f.Name, flagValue(f))
	case inEnv:
		return k.Set(f.Name, env)
	}
	return nil
}

func flagValue(f *pflag.Flag) any {
	if s, ok := f.Value.(pflag.SliceValue); ok {
		return s.GetSlice()
	}
	return f.Value.String()
}

// Check reports all faults at once and fills in what depends on other fields.
func (c *Config) Check() error {
	var errs []error
	var err error
	if c.outboundAllow, err = prefixes("outbound-allow", c.OutboundAllow); err != nil {
		errs = append(errs, err)
	}
	if c.trustedProxy, err = prefixes("trusted-proxy", c.TrustedProxy); err != nil {
		errs = append(errs, err)
	}
	if c.DataDir == "" {
		errs = append(errs, errors.New("data-dir: is empty"))
	} else if c.DataDir, err = filepath.Abs(c.DataDir); err != nil {
		errs = append(errs, fmt.Errorf("data-dir: %w", err))
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		errs = append(errs, errors.New("tls-cert and tls-key: one is missing"))
	}
	if err := checkPublicURL(c.PublicURL); err != nil {
		errs = append(errs, err)
	}
	if c.MasterKey == "" {
		c.MasterKey = "file:" + filepath.Join(c.DataDir, "master.key")
	}
	return errors.Join(errs...)
}

func checkPublicURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("public-url: %q is not an http or https URL without path", s)
	}
	return nil
}

func prefixes(key string, list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(strings.TrimSpace(s))
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a CIDR such as 10.0.0.0/8", key, s)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
