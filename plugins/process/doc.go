// Package process runs hooks as processes that provost starts itself.
//
// An author's main is a line:
//
//	func main() { process.Serve(plugins.Hooks{Token: hook{}}) }
//
// Run by hand, the binary prints the channel to configure, with its own path and
// checksum. On provost's side [Transport] makes the callers for the dispatcher.
//
// The processes speak HashiCorp's go-plugin over a Unix socket with mutual TLS under
// keys of one start (AutoMTLS), and carry the JSON of the contract, byte for byte what
// a web service gets, in one gRPC method:
//
//	service Hook { rpc Call(google.protobuf.BytesValue) returns (google.protobuf.BytesValue); }
//
// gRPC and not net/rpc, because it hands the deadline of a call to the plugin, ends a
// call without ending the connection, bounds messages, and has implementations in
// other languages; go-plugin links both.
//
// What the package promises about a process:
//   - the bytes that run are the bytes whose SHA-256 is configured: each start copies
//     the binary while hashing it and runs the copy;
//   - only a plugin of provost is run, never another program: the binary has to carry
//     [Marker], and must not be writable for others;
//   - its environment has nothing of ours, its working directory is its own and its
//     standard input is empty;
//   - it is started at most five times a minute, and ended when it does not answer
//     three times in a row;
//   - it and its children end with its hook, with provost's shutdown, and soon after
//     provost is killed.
//
// A process runs as provost's user: what it may use of the machine is bounded by
// whatever bounds provost, a systemd unit with TasksMax and MemoryMax for instance.
package process
