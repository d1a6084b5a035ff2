package plugins

// Request is the HTTP request that the flow answers.
type Request struct {
	ID        string     `json:"id"`
	Method    string     `json:"method"`
	URL       RequestURL `json:"url"`
	IPAddress string     `json:"ipAddress"`
}

// RequestURL is the URL of a request.
type RequestURL struct {
	Value string `json:"value"`
}

// Session is the person's sign-in session.
type Session struct {
	ID                       string     `json:"id"`
	UserID                   string     `json:"userId"`
	Login                    string     `json:"login"`
	CreatedAt                string     `json:"createdAt"` // TimeFormat
	ExpiresAt                string     `json:"expiresAt"`
	Status                   string     `json:"status"` // "ACTIVE"
	LastPasswordVerification string     `json:"lastPasswordVerification,omitempty"`
	AMR                      []string   `json:"amr"` // "PASSWORD", ...
	IdP                      SessionIdP `json:"idp"`
	MFAActive                bool       `json:"mfaActive"`
}

// SessionIdP is where the person signed in.
type SessionIdP struct {
	ID   string `json:"id"`
	Type string `json:"type"` // "OKTA" for a password set here, "FEDERATION" otherwise
}

// User is the person.
type User struct {
	ID              string      `json:"id"`
	PasswordChanged string      `json:"passwordChanged,omitempty"` // TimeFormat
	Profile         UserProfile `json:"profile"`
	Links           *UserLinks  `json:"_links,omitempty"`
}

// UserProfile is the part of a profile that every hook may see.
type UserProfile struct {
	Login     string `json:"login"`
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	Locale    string `json:"locale,omitempty"`
	TimeZone  string `json:"timeZone,omitempty"`
}

// UserLinks point to what the payload leaves out.
type UserLinks struct {
	Groups  Link `json:"groups"`
	Factors Link `json:"factors"`
}

// Link is one HAL link.
type Link struct {
	Href string `json:"href"`
}
