package passwords

import (
	"errors"
	"strings"
	"testing"
)

func TestPasswordRules(t *testing.T) {
	var (
		standard = Default().Complexity
		strict   = Complexity{MinLength: 10, MinLowerCase: 2, MinUpperCase: 2, MinNumber: 2, MinSymbol: 2}
		nothing  = Complexity{MinLength: 4}
		profile  = map[string]any{"login": "anna.schmidt-x@mail.example.com", "firstName": "Änna", "lastName": "O'Hara"}
	)
	for name, c := range map[string]struct {
		policy   Complexity
		password string
		rule     string // empty for none; "-" for what no policy allows
	}{
		"good":                     {standard, "correct horse", ""},
		"short":                    {standard, "1x!Qr7b", "minLength"},
		"characters, not bytes":    {standard, "äöüßéè7", "minLength"},
		"longest":                  {standard, strings.Repeat("xyzzy-plugh ", 6), ""},
		"too long":                 {standard, strings.Repeat("x7y", 25), "-"},
		"not UTF-8":                {standard, "correct \xff horse", "-"},
		"all kinds":                {strict, "abCD12!? xx", ""},
		"kinds of other alphabets": {strict, "äöÄÖ٣٤§€xx", ""},
		"lower case":               {strict, "aABCD12!?XX", "minLowerCase"},
		"upper case":               {strict, "abcdC12!?xx", "minUpperCase"},
		"numbers":                  {strict, "abCD1!?xxxx", "minNumber"},
		"symbols":                  {strict, "abCD12!xxxx", "minSymbol"},
		"part of the login":        {standard, "my Schmidt 77 is", "excludeUsername"},
		"part with an accent":      {standard, "my schmídt 77 is", "excludeUsername"},
		"label of the domain":      {standard, "xx mail xx 77", "excludeUsername"},
		"parent of the domain":     {standard, "an example 77 q", ""},
		"short part of the login":  {standard, "xcorrect-x-horse", ""},
		"first name, other case":   {Complexity{MinLength: 4, ExcludeAttributes: []string{"firstName"}}, "xxANNAxx", "excludeAttributes"},
		"last name":                {standard, "xx o'hara xx", "excludeAttributes"},
		"nothing of this asked":    {nothing, "anna", ""},
		"common":                   {standard, "password1", "dictionary.common"},
		"common allowed":           {nothing, "password1", ""},
	} {
		err := c.policy.Check(c.password, profile)
		var refused *Error
		switch {
		case c.rule == "":
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case !errors.As(err, &refused) || refused.Rule != strings.Trim(c.rule, "-") || !errors.Is(err, ErrRefused):
			t.Errorf("%s: %v, want %s", name, err, c.rule)
		case strings.Contains(err.Error(), c.password):
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
	}
}

func TestCommonPasswords(t *testing.T) {
	words, endings := commonSets()
	if n := len(words) * len(endings); n < 1000 {
		t.Errorf("only %d passwords", n)
	}
	for _, p := range []string{
		"password", "PASSWORD", "Password1", "P@ssw0rd", "p@$$w0rd123", "passwordpassword", "qwertyuiop", "12345678", "123456789",
		"Sommer2024", "Summer2025", "letmein1", "iloveyou", "11111111", "aaaaaaaa", "abababab", "xyzxyzxyz", "welcome123", "Admin123",
		"trustno1", "1q2w3e4r", "Pássword1", "football1", "Charlie2023",
	} {
		if !isCommon(p) {
			t.Errorf("%q is not on the list", p)
		}
	}
	for _, p := range []string{password, "another horse", "Engine No. 9, analytical", "t1meMa$heen", "xkcd-936 staple", "password of nobody", "summer rain 2024", "Summer2024!"} {
		if isCommon(p) {
			t.Errorf("%q is on the list", p)
		}
	}
}
