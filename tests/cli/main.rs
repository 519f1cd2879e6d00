//! The command `usher` as a script uses it: words, exit codes, and what it says.

mod bad_input;
mod impatient;
mod login;
mod one_engine;
