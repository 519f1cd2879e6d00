//! Keeps tokens in memory out of core dumps and away from the person's other programs.

/// Forbids core dumps (on Unix) and debuggers (on Linux), except in debug builds. Every program that holds tokens calls
/// it first. A failure does not prevent the program from starting.
pub fn forbid_core_dumps() {
    if !cfg!(debug_assertions) {
        forbid();
    }
}

fn forbid() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Also restricts /proc/PID/mem and ptrace to root.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn the_process_can_be_neither_dumped_nor_read() {
        forbid();
        assert!(matches!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable)));
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
        // The files of the process in /proc belong to root, so the person's other programs cannot open its memory.
        let owner = std::fs::metadata("/proc/self/mem").expect("the file of the memory").uid();
        assert_eq!(owner, 0);
    }
}
