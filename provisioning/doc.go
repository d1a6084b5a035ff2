// Package provisioning keeps people and groups the same here and at the apps: imports
// that are a plan before they are applied, and exports that follow the markers of the
// directory. It owns the runs, their plans and safeguards, the drains with their
// attempts and dead letters, and the interfaces of a connector.
//
// It leaves what a person may hold to schemas, who has which account and which
// mappings exist to directory, how expressions are evaluated to directory/mapping, how
// a target is spoken to to the connectors below it, and its routes to
// provisioning/manage.
package provisioning
