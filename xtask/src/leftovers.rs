//! Processes that a step left running, such as a driver, a display or a keyring. They are found as descendants.
//!
//! On Linux this process is the subreaper of its descendants. Even a daemon that left its parent and its process group
//! stays a descendant. On other systems only the child itself is ended.

use std::process::Child;

/// Makes orphaned descendants our children. Called once, before any process is started.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    linux::adopt_orphans();
}

/// Ends all our descendants. Called between steps, when no child should be running, and to stop a setup that failed.
pub fn end() {
    #[cfg(target_os = "linux")]
    linux::end(&linux::descendants(std::process::id()));
}

/// Ends a child and its descendants, and waits for the child.
pub fn end_tree(child: &mut Child) {
    #[cfg(target_os = "linux")]
    {
        let below = linux::descendants(child.id());
        linux::terminate_then_kill(&below, child);
    }
    #[cfg(not(target_os = "linux"))]
    {
        // An error means that the child has already exited.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The running descendants of a process. Empty on systems other than Linux.
pub fn descendants(ancestor: u32) -> Vec<u32> {
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

    /// How long a process may take to end after SIGTERM before it is killed.
    const GRACE: Duration = Duration::from_secs(3);

    pub fn adopt_orphans() {
        // If this fails, the only effect is that some leftovers are not found.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }

    /// The running descendants of `ancestor`, each after its parent.
    pub fn descendants(ancestor: u32) -> Vec<u32> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
            if let Some(parent) = parent_if_running(&stat) {
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

    /// The parent in a line of /proc/PID/stat; none for a zombie, which has already ended.
    pub fn parent_if_running(stat: &str) -> Option<u32> {
        // The name of the program is in parentheses and may contain parentheses, so the last `)` ends the name.
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
        // The child's handle collects its exit code. Reaping the child here would lose the code.
        if !wait_until_gone(&all, || drop(child.try_wait())) {
            signal(&all, Signal::KILL);
        }
        let _ = child.wait();
    }

    fn signal(pids: &[u32], signal: Signal) {
        for pid in pids.iter().filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?)) {
            // An error means that the process has already exited.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    fn wait_until_gone(pids: &[u32], mut collect: impl FnMut()) -> bool {
        let started = Instant::now();
        // Only children can be waited for, and most of these processes are not children.
        while started.elapsed() < GRACE {
            collect();
            if !pids.iter().any(|pid| is_running(*pid)) {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn is_running(pid: u32) -> bool {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| parent_if_running(&stat).is_some())
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
        fn the_parent_is_read_after_any_name() {
            assert_eq!(parent_if_running("71 (cat) S 12 71 71 0"), Some(12));
            assert_eq!(parent_if_running("71 (a) Z 9 (b) S 12 71 71 0"), Some(12));
            assert_eq!(parent_if_running("71 (gone) Z 12 71 71 0"), None);
            assert_eq!(parent_if_running(""), None);
        }

        #[test]
        fn ending_a_tree_ends_its_leaves() {
            let mut child =
                Command::new("sh").args(["-c", "sh -c 'sleep 60 & wait' & wait"]).spawn().expect("sh starts");
            let started = Instant::now();
            let below = loop {
                let below = descendants(child.id());
                if below.len() >= 2 {
                    break below;
                }
                assert!(
                    started.elapsed() < Duration::from_secs(10),
                    "the descendants did not start: {below:?}"
                );
                thread::yield_now();
            };
            terminate_then_kill(&below, &mut child);
            assert!(!below.iter().any(|pid| is_running(*pid)));
        }
    }
}
