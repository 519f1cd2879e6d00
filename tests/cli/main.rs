//! Tests of the command line: output, errors and exit codes.

mod bad_input;
mod bridge;
mod config;
mod core_dumps;
mod device;
mod login;
mod one_engine;
mod programs;
mod secrets;
mod shutdown;
