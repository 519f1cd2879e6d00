//! The packages: what is in them, and what the Debian one does to a machine. `cargo xtask test install` makes them first.
#![cfg(target_os = "linux")]

mod contents;
mod life;
mod machine;
mod notices;
mod package;
mod rpm;
mod upgrade;
