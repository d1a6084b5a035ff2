package manage_test

import (
	"net/http"
	"strings"
	"testing"
)

func hashed(members string) string { return `,"credentials":{"password":{"hash":{` + members + `}}}` }

const (
	bcryptHash = `"algorithm":"BCRYPT","workFactor":5,"salt":"abcdefghijklmnopqrstuu","value":"HNbAKRhpaujgo33bRWs.NLUTJO3lOy2"`
	saltedSHA  = `"algorithm":"SHA-256","salt":"c2FsdDEyMzQ=","saltOrder":"PREFIX","value":"K4LFedLUFH5ldmMnupMd1LeX8XmmW5l8jekWj6xqm5c="`
	pbkdf2Hash = `"algorithm":"PBKDF2","digestAlgorithm":"SHA256_HMAC","iterationCount":4096,"keySize":32,"salt":"MDEyMzQ1Njc4OWFiY2RlZg==",` +
		`"value":"L47unUuuz53ZGjvyxdG9n7fm071wLR1awArcH/V68jg="`
)

func TestCreateWithHash(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		for login, members := range map[string]string{"bcrypt@example.com": bcryptHash, "sha@example.com": saltedSHA, "pbkdf@example.com": pbkdf2Hash} {
			r := s.must(http.StatusOK, "POST", "/users?activate=true", profile(login, "")+hashed(members)+`}`)
			if at(r.body, "status") != "ACTIVE" || at(r.body, "credentials", "password") == nil || strings.Contains(r.raw, "hash") {
				t.Errorf("%s: %s", login, r.raw)
			}
			if _, err := s.dir.CheckPassword(t.Context(), login, "correct horse"); err != nil {
				t.Errorf("%s: %v", login, err)
			}
		}
		r := s.must(http.StatusOK, "POST", "/users?nextLogin=changePassword", profile("di@example.com", "")+hashed(saltedSHA)+`}`)
		if at(r.body, "status") != "PASSWORD_EXPIRED" {
			t.Errorf("nextLogin=changePassword: %s", r.raw)
		}
	})
}

func TestHashErrors(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		for members, field := range map[string]string{
			strings.Replace(bcryptHash, ":5,", ":20,", 1):         "password.hash.workFactor",
			strings.Replace(bcryptHash, "stuu", "st", 1):          "password.hash.salt",
			strings.Replace(saltedSHA, "PREFIX", "MIDDLE", 1):     "password.hash.saltOrder",
			strings.Replace(saltedSHA, "SHA-256", "SHA-512", 1):   "password.hash.value",
			strings.Replace(pbkdf2Hash, "4096", "2000000000", 1):  "password.hash.iterationCount",
			strings.Replace(pbkdf2Hash, ":32", ":64", 1):          "password.hash.keySize",
			strings.Replace(pbkdf2Hash, "SHA256_HMAC", "SHA", 1):  "password.hash.digestAlgorithm",
			strings.Replace(pbkdf2Hash, "PBKDF2", "CLEARTEXT", 1): "password.hash.algorithm",
			saltedSHA + `},"value":"correct horse","x":{`:         "password.hash",
			saltedSHA + `},"hook":{"type":"default"},"x":{`:       "password.hook",
			`"algorithm":"ARGON2","value":"$argon2id$v=19$m=9999999,t=9,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M"`: "password.hash.value",
		} {
			s.refused(http.StatusBadRequest, "E0000001", "POST", "/users", profile("x@example.com", "")+hashed(members)+`}`, field)
		}
		if r := s.do("GET", "/users/x@example.com", ""); r.status != http.StatusNotFound {
			t.Errorf("a refused user was made: %s", r.raw)
		}
	})
}

// The contract: a hash can be updated only while STAGED.
func TestUpdateHashWhileStaged(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		staged, _ := at(s.must(http.StatusOK, "POST", "/users?activate=false", profile("ana@example.com", "")+`}`).body, "id").(string)
		s.must(http.StatusOK, "POST", "/users/"+staged, `{`+hashed(bcryptHash)[1:]+`}`)
		s.must(http.StatusOK, "PUT", "/users/"+staged, profile("ana@example.com", "")+hashed(saltedSHA)+`}`)
		s.must(http.StatusOK, "POST", "/users/"+staged+"/lifecycle/activate", "")
		if _, err := s.dir.CheckPassword(t.Context(), "ana@example.com", "correct horse"); err != nil {
			t.Errorf("after activation: %v", err)
		}
		s.refused(http.StatusForbidden, "E0000038", "POST", "/users/"+staged, `{`+hashed(bcryptHash)[1:]+`}`, "ACTIVE")
	})
}

func TestStrictChanges(t *testing.T) {
	each(t, func(t *testing.T, s *service) {
		policy, _ := at(s.must(http.StatusOK, "GET", "/policies?type=PASSWORD", "").body, 0, "id").(string)
		s.must(http.StatusOK, "PUT", "/policies/"+policy, `{"settings":{"password":{"age":{"historyCount":2,"minAgeMinutes":60}}}}`)
		id := s.create("ana@example.com", withPassword)
		change := "/users/" + id + "/credentials/change_password"
		s.refused(http.StatusForbidden, "E0000080", "POST", change, `{"oldPassword":{"value":"correct horse"},"newPassword":{"value":"correct horse"}}`, "historyCount")
		s.refused(http.StatusForbidden, "E0000080", "POST", change+"?strict=true", `{"oldPassword":{"value":"correct horse"},"newPassword":{"value":"another horse"}}`, "minAgeMinutes")
		s.must(http.StatusOK, "POST", change, `{"oldPassword":{"value":"correct horse"},"newPassword":{"value":"another horse"}}`)
		edit := `{"credentials":{"password":{"value":"correct horse"}}}`
		s.refused(http.StatusForbidden, "E0000080", "POST", "/users/"+id+"?strict=true", edit, "historyCount")
		s.must(http.StatusOK, "POST", "/users/"+id, edit)
		s.refused(http.StatusForbidden, "E0000080", "POST", "/users/"+id, `{"credentials":{"password":{"value":"P@ssw0rd123"}}}`, "dictionary.common")
	})
}
