//! The contents of the packages, and the installation of the Debian package. `cargo xtask test install` builds both.
#![cfg(target_os = "linux")]

mod contents;
mod lifecycle;
mod machine;
mod notices;
mod package;
mod rpm;
mod upgrade;
