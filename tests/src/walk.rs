//! The steps of the first sign-in, as a person takes them.
