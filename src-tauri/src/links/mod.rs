//! `dev.usher.desktop:` links: their registration with the system, and their delivery to the engine.

pub mod deep_link;
#[cfg(target_os = "linux")]
pub mod desktop_entry;
#[cfg(target_os = "linux")]
mod packaged_entry;
pub mod registration;
pub mod start_link;
