package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// appSecrets is the purpose under which the secrets of settings.app are sealed, with
// the app's ID as context.
const appSecrets = "app settings"

// secretWords mark the settings that are sealed and left out of every answer.
var secretWords = []string{"password", "secret", "token", "privatekey", "apikey", "credential"}

func isSecret(setting string) bool {
	s := strings.ToLower(setting)
	return slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(s, w) })
}

// sealSettings takes the secrets out of settings.app and seals them together with
// those that stay from before.
func (d *Directory) sealSettings(appID string, settings map[string]any, had map[string]any) (open map[string]any, sealed []byte, err error) {
	open = maps.Clone(settings)
	given, _ := settings["app"].(map[string]any)
	plain, secret := map[string]any{}, maps.Clone(had)
	if secret == nil {
		secret = map[string]any{}
	}
	for name, v := range given {
		switch {
		case !isSecret(name):
			plain[name] = v
		case v == nil:
			delete(secret, name)
		default:
			secret[name] = v
		}
	}
	open["app"] = plain
	if len(secret) == 0 {
		return open, nil, nil
	}
	text, err := json.Marshal(secret)
	if err != nil {
		return nil, nil, fmt.Errorf("encode secrets: %w", err)
	}
	return open, d.Keys.Seal(appSecrets, appID, text), nil
}

// secrets opens the sealed settings of an app.
func (d *Directory) secrets(tx rowQuerier, appID string) (map[string]any, error) {
	var sealed []byte
	if err := tx.QueryRow(`SELECT secrets FROM apps WHERE id = $1`, appID).Scan(&sealed); err != nil {
		return nil, fmt.Errorf("read secrets of %s: %w", appID, err)
	}
	return d.openSecrets(appID, sealed)
}

func (d *Directory) openSecrets(appID string, sealed []byte) (map[string]any, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	text, err := d.Keys.Unseal(appSecrets, appID, sealed)
	if err != nil {
		return nil, fmt.Errorf("secrets of app %s: %w", appID, err)
	}
	var secrets map[string]any
	if err := json.Unmarshal(text, &secrets); err != nil {
		return nil, fmt.Errorf("secrets of app %s: %w", appID, err)
	}
	return secrets, nil
}

// AppConfig is settings.app of an app with its secrets in clear. It is for the
// connector alone: never stored, logged or answered.
func (d *Directory) AppConfig(ctx context.Context, a *App) (map[string]any, error) {
	var sealed []byte
	if err := d.DB.QueryRow(ctx, `SELECT secrets FROM apps WHERE id = $1`, a.ID).Scan(&sealed); err != nil {
		return nil, fmt.Errorf("read secrets of %s: %w", a.ID, err)
	}
	secrets, err := d.openSecrets(a.ID, sealed)
	if err != nil {
		return nil, err
	}
	config := map[string]any{}
	open, _ := a.Settings["app"].(map[string]any)
	maps.Copy(config, open)
	maps.Copy(config, secrets)
	return config, nil
}
