//! The memory of `usher`, which contains tokens: other programs cannot read it, and no core dump contains it.

use std::process::Command;

use anyhow::{Context, Result};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};
use usher_tests::PipedProcess;

use crate::one_engine::{holder, signed_in};

/// Whether another program of the same person may look into a process.
fn may_look_into(id: u32) -> Result<bool> {
    let output = Command::new("readlink").arg(format!("/proc/{id}/exe")).output();
    Ok(output.context("cannot run readlink")?.status.success())
}

#[tokio::test]
async fn the_memory_of_usher_can_be_neither_read_nor_dumped() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        // Root may look into any process. The programs that this thread starts may not, like those of a person.
        remove_capability_from_bounding_set(CapabilitySet::SYS_PTRACE)?;
    }
    let (cli, _demo) = signed_in().await?;
    let usher = holder(&cli).await?;
    // It waits for input.
    let other = PipedProcess::start(cli.desktop.command("cat"))?;
    assert!(may_look_into(other.id())?, "any program is protected here");
    assert!(!may_look_into(usher.id())?, "another program can read the memory of usher");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", usher.id()))?;
    let of_core = limits.lines().find_map(|line| line.strip_prefix("Max core file size"));
    let of_core: Vec<_> = of_core.context("no limit of core dumps")?.split_whitespace().collect();
    assert_eq!(of_core, ["0", "0", "bytes"]);
    Ok(())
}
