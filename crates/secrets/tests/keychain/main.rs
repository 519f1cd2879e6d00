//! Tests of the keychain store against a real gnome-keyring on a private session bus.
//!
//! Tests must not change their own environment. The store under test therefore runs in a child process: this program
//! with another environment, which reads commands from stdin.

mod cases;
mod child;
mod session;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if std::env::var_os(child::MARK).is_some() {
        return child::run();
    }
    let arguments = Arguments::from_args();
    let cases = if cfg!(target_os = "linux") { cases::ALL } else { &[] };
    let trials = cases
        .iter()
        .map(|(name, case)| Trial::test(*name, || case().map_err(|error| format!("{error:?}").into())))
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
