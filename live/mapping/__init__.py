"""Control events become changes and calls: bindings, pick-up, learning, macros. Pure, but for the files they are kept in."""
