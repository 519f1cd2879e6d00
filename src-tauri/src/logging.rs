//! The log: our own words on standard error. Dependencies may only warn, for they would write down addresses.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Begins the log; `USHER_LOG` is a level (`debug`, `trace`) for our own crates alone.
pub fn begin() {
    let ours =
        std::env::var("USHER_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    // rmcp calls every 401 fatal; what matters of it comes as an error of the engine.
    let filter = EnvFilter::new(format!("warn,rmcp=off,usher={ours}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr)
        .init();
}
