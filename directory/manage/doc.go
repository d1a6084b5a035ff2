// Package manage serves the directory's part of the management API: users with their
// lifecycle and credentials, groups, the password policy, the system log, the user
// schema, API tokens, and why a value is what it is. It reads requests, asks the
// directory, and shapes what comes back; it decides nothing. Apps, mappings and imports
// are provisioning/manage.
package manage
