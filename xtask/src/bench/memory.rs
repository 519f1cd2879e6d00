//! The memory of a process and its descendants, as proportional set size: shared pages are counted once in the sum.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};

use crate::leftovers;

/// The error of a read for a process that has ended since its file was opened.
const ESRCH: i32 = 3;

/// The memory of a process and its descendants, in bytes. Fails if the process has ended, or if the memory of one of them
/// cannot be read. The app is such a process unless this one is root, because no program can read the app's memory.
pub fn of_tree(pid: u32) -> Result<u64> {
    let mut sum = of_process(pid)?.with_context(|| format!("process {pid} has ended"))?;
    for descendant in leftovers::descendants(pid) {
        sum += of_process(descendant)?.unwrap_or_default();
    }
    Ok(sum)
}

/// Returns `None` if the process has ended.
fn of_process(pid: u32) -> Result<Option<u64>> {
    let rollup = read(Path::new(&format!("/proc/{pid}/smaps_rollup")));
    let rollup = rollup.with_context(|| {
        format!("read the memory of process {pid}, which needs root or the capability CAP_SYS_PTRACE")
    })?;
    Ok(rollup.as_deref().and_then(proportional_set_size))
}

/// Reads a file of a process. Returns `None` if the process has ended.
fn read(file: &Path) -> std::io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

fn proportional_set_size(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rollup_is_parsed() {
        let rollup = "55d0-7ffe ---p 00000000 00:00 0    [rollup]\nRss:   884 kB\nPss:                 385 kB\nPss_Dirty: 68 kB\n";
        assert_eq!(proportional_set_size(rollup), Some(385 * 1024));
        assert_eq!(proportional_set_size(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_running_process_uses_memory() {
        assert!(of_tree(std::process::id()).expect("our own memory") > 100_000);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_that_cannot_be_read_is_an_error() {
        let mut child = std::process::Command::new("true").spawn().expect("start a program");
        child.wait().expect("wait for it");
        let ended = of_tree(child.id()).expect_err("it has ended").to_string();
        assert!(ended.contains("has ended"), "{ended}");
        assert_eq!(read(Path::new("/proc/self/no-such-file")).expect("no file"), None);
        // A file that exists and cannot be read, also by root.
        read(Path::new("/proc/self/task")).expect_err("a folder");
    }
}
