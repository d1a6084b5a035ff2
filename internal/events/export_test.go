package events

// SelectChanges is the statement of Changes, whose plan a test reads.
const SelectChanges = selectChanges
