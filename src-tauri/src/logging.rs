//! The log on stderr. Dependencies log only warnings and errors, because their other messages contain addresses.

use std::io::stderr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use usher_config::DisplayWriter;

/// Starts the log. `USHER_LOG` sets the level (`debug`, `trace`) of Usher's own crates.
pub fn init() {
    let ours =
        std::env::var("USHER_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    // rmcp logs every 401 as fatal. The engine reports the 401s that matter.
    let filter = EnvFilter::new(format!("warn,rmcp=off,usher={ours}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(|| DisplayWriter(stderr()))
        .init();
}
