package passwords

import (
	"strings"
	"sync"

	"github.com/provost-id/provost/schemas"
)

// The list of common passwords is made here and copied from nowhere: the words, walks
// over the keyboard and endings below are common knowledge from the yearly reports on
// leaked passwords and from the habits that they show. Each word stands for itself,
// doubled, with each of the endings, and in the spellings that unleet undoes: tens of
// thousands of passwords.

// commonWords are in lower case.
const commonWords = `password passwort passwd passw0rd motdepasse contrasena senha parola heslo haslo salasana losenord
admin administrator root toor guest user test tester testing demo default login logmein welcome willkommen bienvenue
hello letmein changeme change master secret private access access14 trustno1 whatever nothing anything unknown
monkey dragon tiger lion eagle falcon panther wolf bear horse kitty kitten puppy doggy chicken dolphin penguin butterfly
football baseball basketball soccer hockey tennis golf fussball futbol rugby cricket volleyball swimming running
arsenal chelsea liverpool barcelona juventus bayern realmadrid manchester cowboys yankees steelers lakers redsox
iloveyou ichliebedich jetaime tequiero loveme lovely love forever sunshine princess prince queen king angel angels
flower rainbow diamond crystal silver golden purple orange yellow banana cherry apple cookie chocolate cheese pepper
summer winter spring autumn sommer january february march april june july august september october november december
monday tuesday wednesday thursday friday saturday sunday birthday christmas easter holiday vacation weekend
michael jennifer jessica ashley nicole daniel joshua matthew andrew anthony thomas robert william charlie jordan
hunter ranger killer cowboy pirate ninja samurai wizard warrior soldier hero legend shadow phantom ghost devil
batman superman spiderman ironman starwars skywalker jedi yoda pokemon pikachu naruto minecraft fortnite roblox
matrix gandalf hobbit merlin harrypotter hermione godzilla snoopy garfield mickey minnie donald tigger winnie
computer internet windows microsoft google facebook twitter instagram youtube linkedin amazon samsung nokia android
office company business server database oracle cisco router network system security support service helpdesk
london paris berlin madrid america england france germany deutschland italia brasil canada mexico texas california
chicago boston dallas newyork australia india pakistan china japan russia
mustang corvette ferrari porsche mercedes toyota honda harley yamaha suzuki nissan camaro
metallica nirvana slipknot eminem beatles guitar music dance rockstar hiphop
freedom peace happy smile lucky money dollar million success winner champion number maverick blessed jesus jesuschrist
family mother father mommy daddy sister brother baby babygirl babyboy boyfriend girlfriend friend friends buddy
asdf qwer zxcv abcd abc qwe asd zxc aaa xxx`

// commonWalks are fingers going over a keyboard, and digits.
const commonWalks = `qwerty qwertyui qwertyuiop qwertz qwertzui qwertzuiop azerty azertyuiop asdfgh asdfghj asdfghjk asdfghjkl
zxcvbn zxcvbnm yxcvbnm poiuytrewq lkjhgfdsa mnbvcxz qazwsx qazwsxedc wsxedc 1qaz2wsx 1qaz2wsx3edc zaq12wsx zaq1xsw2
1q2w3e 1q2w3e4r 1q2w3e4r5t q1w2e3 q1w2e3r4 q1w2e3r4t5 qwer1234 asdf1234 zxcv1234 1234qwer 123qwe 123qweasd qweasd qweasdzxc
qwe123 asd123 zxc123 abc123 abcd1234 abcdef abcdefg abcdefgh a1b2c3 a1b2c3d4 aa123456 a123456 a12345678 a123456789
1234abcd 123abc 123456a 123456q 12345q 1a2b3c 1a2b3c4d 147258 147258369 159357 159753 258456 741852 741852963 789456 789456123
123321 1234321 12344321 123654 123454321 112233 11223344 1122334455 121212 12121212 123123 123123123 12341234 131313 232323
696969 69696969 420420 007007 101010 102030 10203040 010203 98765 987654 9876543 98765432 987654321 9876543210
1234567 12345678 123456789 1234567890 0123456789 01234567 012345678 12345678910 1234567891 0987654321 246810 13579 135792468
24681012 11111111 22222222 19841984 20002000 31415926 3.141592 27182818 14142135`

// commonEndings are the digits that people add to a word so that it passes. Endings with
// signs are rare in what has leaked.
const commonEndings = `0 1 2 3 5 7 8 9 00 01 02 07 10 11 12 13 21 22 23 69 77 88 99 007 100 111 123 321 333 420 555 666 777 999 1234
4321 12345 123456 1234567 12345678 123456789 1980 1984 1985 1986 1987 1988 1989 1990 1991 1992 1993 1994 1995
1996 1997 1998 1999 2000 2001 2002 2003 2004 2005 2010 2015 2018 2019 2020 2021 2022 2023 2024 2025 2026 2027`

// commonSets are the words and the endings, made at first use.
var commonSets = sync.OnceValues(func() (words, endings map[string]bool) {
	set := func(list string) map[string]bool {
		m := map[string]bool{}
		for _, s := range strings.Fields(list) {
			m[s] = true
		}
		return m
	}
	return set(commonWords + " " + commonWalks), set(commonEndings)
})

// unleet undoes the spellings with digits and signs for letters.
var unleet = strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t")

// isCommon reports whether a password is on the list without regard to case
// and diacritics, or nothing but one character, or one short piece, over and over.
func isCommon(password string) bool {
	folded := schemas.FoldLogin(password)
	words, endings := commonSets()
	for i := 1; i <= len(folded); i++ {
		word, end := folded[:i], folded[i:]
		known := words[word] || words[unleet.Replace(word)]
		if known && (end == "" || end == word || endings[end]) {
			return true
		}
	}
	return repeats(folded)
}

// repeats reports whether s is one piece of at most three bytes, over and over.
func repeats(s string) bool {
	for size := 1; size <= 3; size++ {
		if len(s) >= 2*size && strings.Repeat(s[:size], len(s)/size+1)[:len(s)] == s {
			return true
		}
	}
	return false
}
