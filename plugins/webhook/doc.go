// Package webhook carries hooks over HTTP.
//
// On provost's side [Transport] makes the callers for the dispatcher: one POST of the
// payload, with the configured headers and a signature, through the HTTP client that
// is passed in, which decides what addresses may be reached. No credential of
// provost's own is ever sent.
//
// On the receiver's side [Handler] serves a hook that is written in Go, and
// [Verifier] checks the signature for anybody who serves it otherwise. The signature
// is that of Standard Webhooks, so there are libraries for other languages:
//
//	webhook-id: msg_…              unique for every request, also for a retry
//	webhook-timestamp: 1732428000  seconds since 1970
//	webhook-signature: v1,…        base64 of HMAC-SHA256(key, id + "." + timestamp + "." + body)
//
// The key is what stands in base64 after "whsec_" in the hook's signing secret. A
// receiver refuses a signature that does not fit, a time more than five minutes off,
// and an ID that it has seen within that time: the last is what stops a replay.
package webhook
