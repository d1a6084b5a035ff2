package signin

// problem is a reason why a step did not lead on: a code for the flow API and one
// sentence for the person. Neither tells whether an account exists.
type problem struct{ code, text string }

var (
	wrongCredentials = problem{"invalid_credentials", "The username or password is not right."}
	missing          = problem{"missing_credentials", "Enter your username and your password."}
	outOfDate        = problem{"restart", "This page was out of date. Please sign in again."}
	tooMany          = problem{"too_many_attempts", "Too many attempts. Please wait a little before you try again."}
	busy             = problem{"busy", "Many people are signing in right now. Please try again in a moment."}
	foreign          = problem{"foreign_origin", "This request did not come from this sign-in page."}
	badLink          = problem{"invalid_request", "This sign-in link is not valid. Please go back to the application and start again."}
	badState         = problem{"invalid_state", "This sign-in was started elsewhere, has expired, or was used already. Please start again."}
	noIdP            = problem{"no_such_idp", "This identity provider is not available."}
	idpRefused       = problem{"access_denied", "You were not signed in."}
	idpFailed        = problem{"idp_unavailable", "The identity provider could not be reached. Please try again later."}
	internal         = problem{"server_error", "Something went wrong on our side. Please try again later."}
)
