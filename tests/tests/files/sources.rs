//! Who has a file: any member that fetched it, and several at once.
