//! Measures release builds: the window against an empty one, requests on the wire, sizes.

use anyhow::Result;

use crate::repository::Repository;

#[derive(clap::Args)]
pub struct Arguments {
    /// How often each window is opened, in turns
    #[arg(long, default_value_t = 15)]
    runs: u32,
}

pub fn bench(_repository: &Repository, _arguments: &Arguments) -> Result<()> {
    Ok(())
}
