//! Notifications about services that need the person while the window is not in front.

mod expiries;
#[cfg(target_os = "linux")]
#[path = "notifications_linux.rs"]
mod notifications;
#[cfg(not(target_os = "linux"))]
#[path = "notifications_native.rs"]
mod notifications;
mod presenter;
mod queue;
mod shown;
mod text;

pub use presenter::start;
pub use queue::NoticeQueue;
