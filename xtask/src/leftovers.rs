//! Processes that a step started and left behind (a driver, a display, a keyring): found by descent, ended by pid.
//!
//! On Linux we are the subreaper of our descendants, so even a daemon that left its parent and its process group stays
//! our child. Elsewhere only the child itself is ended.

use std::process::Child;

/// Makes orphans below us our own children. Called once, before anything is started.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    linux::adopt_orphans();
}

/// Ends all that still lives below us. Called between steps, when no child of ours is meant to run.
pub fn end() {
    #[cfg(target_os = "linux")]
    linux::end(&linux::descendants(std::process::id()));
}

/// Ends a child with all that it started, and waits for it.
pub fn end_tree(child: &mut Child) {
    #[cfg(target_os = "linux")]
    {
        let below = linux::descendants(child.id());
        linux::terminate_then_kill(&below, child);
    }
    #[cfg(not(target_os = "linux"))]
    {
        // The child may have ended by itself in the meantime; there is nothing to do about it then.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Every living process below one. Elsewhere than on Linux they are not looked for.
pub fn below(ancestor: u32) -> Vec<u32> {
    #[cfg(target_os = "linux")]
    return linux::descendants(ancestor);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = ancestor;
        Vec::new()
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashMap;
    use std::fs;
    use std::process::Child;
    use std::thread;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, WaitOptions};

    /// How long an asked process may take to end before it is made to.
    const GRACE: Duration = Duration::from_secs(3);

    pub fn adopt_orphans() {
        // Without it a leftover is merely not found: no reason to stop.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }

    /// Every living process below `ancestor`, children before grandchildren, without itself.
    pub fn descendants(ancestor: u32) -> Vec<u32> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
            if let Some(parent) = living_parent(&stat) {
                children.entry(parent).or_default().push(pid);
            }
        }
        let mut found = Vec::new();
        let mut open = vec![ancestor];
        while let Some(parent) = open.pop() {
            let below = children.remove(&parent).unwrap_or_default();
            open.extend(&below);
            found.extend(below);
        }
        found
    }

    /// The parent in a line of /proc/PID/stat; none for a zombie, which needs no ending.
    pub fn living_parent(stat: &str) -> Option<u32> {
        // The program's name stands in parentheses and may itself hold any of them: the last one counts.
        let (_, after_name) = stat.rsplit_once(") ")?;
        let mut fields = after_name.split(' ');
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        (state != "Z" && state != "X").then_some(parent)
    }

    pub fn end(pids: &[u32]) {
        signal(pids, Signal::TERM);
        if !wait_until_gone(pids, reap) {
            signal(pids, Signal::KILL);
            wait_until_gone(pids, reap);
        }
        reap();
    }

    pub fn terminate_then_kill(below: &[u32], child: &mut Child) {
        let all: Vec<u32> = below.iter().copied().chain([child.id()]).collect();
        signal(&all, Signal::TERM);
        // The child is waited for by its handle alone: reaping it here would lose its exit code.
        if !wait_until_gone(&all, || drop(child.try_wait())) {
            signal(&all, Signal::KILL);
        }
        let _ = child.wait();
    }

    fn signal(pids: &[u32], signal: Signal) {
        for pid in pids.iter().filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?)) {
            // It may have ended by itself in the meantime.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    fn wait_until_gone(pids: &[u32], mut collect: impl FnMut()) -> bool {
        let started = Instant::now();
        while started.elapsed() < GRACE {
            collect();
            if !pids.iter().any(|pid| is_alive(*pid)) {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn is_alive(pid: u32) -> bool {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| living_parent(&stat).is_some())
    }

    /// Collects the exit codes of adopted processes.
    fn reap() {
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
    }

    #[cfg(test)]
    mod tests {
        use std::process::Command;

        use super::*;

        #[test]
        fn the_parent_is_read_behind_any_name() {
            assert_eq!(living_parent("71 (cat) S 12 71 71 0"), Some(12));
            assert_eq!(living_parent("71 (a) Z 9 (b) S 12 71 71 0"), Some(12));
            assert_eq!(living_parent("71 (gone) Z 12 71 71 0"), None);
            assert_eq!(living_parent(""), None);
        }

        #[test]
        fn a_tree_is_ended_to_its_leaves() {
            let mut child =
                Command::new("sh").args(["-c", "sh -c 'sleep 60 & wait' & wait"]).spawn().expect("sh starts");
            let started = Instant::now();
            let below = loop {
                let below = descendants(child.id());
                if below.len() >= 2 {
                    break below;
                }
                assert!(started.elapsed() < Duration::from_secs(10), "the tree never grew: {below:?}");
                thread::yield_now();
            };
            terminate_then_kill(&below, &mut child);
            assert!(!below.iter().any(|pid| is_alive(*pid)));
        }
    }
}
