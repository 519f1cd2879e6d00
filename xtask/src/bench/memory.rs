//! The memory of a process and its descendants, as proportional set size: shared pages are counted once in the sum.

use std::fs;

use crate::leftovers;

/// The memory of a process and its descendants, in bytes.
pub fn of_tree(pid: u32) -> u64 {
    let tree = leftovers::descendants(pid).into_iter().chain([pid]);
    tree.filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok())
        .filter_map(|rollup| proportional_set_size(&rollup))
        .sum()
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
        assert!(of_tree(std::process::id()) > 100_000);
    }
}
