//! The Debian package: what is in it, and what it does to a machine. `cargo xtask test install` makes it first.
#![cfg(target_os = "linux")]

mod contents;
mod life;
mod machine;
mod package;
