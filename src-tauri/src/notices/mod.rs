//! Notifications about services that need or ask the person while the window is not in front.

mod expiries;
#[cfg(target_os = "linux")]
#[path = "notifications_linux.rs"]
mod notifications;
#[cfg(not(target_os = "linux"))]
#[path = "notifications_native.rs"]
mod notifications;
mod presenter;
mod questions;
mod queue;
mod shown;
mod text;

pub use presenter::start;
pub use queue::NoticeQueue;
