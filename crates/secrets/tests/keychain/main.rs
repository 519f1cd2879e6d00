//! The keychain store against a real gnome-keyring on a private session bus.
//!
//! A test may not change its own environment, so the store under test runs in a child: this same program,
//! started with another environment, taking commands line by line.

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
