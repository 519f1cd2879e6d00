//! Keeps tokens in memory out of core dumps and away from the person's other programs.

/// Forbids core dumps (on Unix) and debuggers (on Linux), except in debug builds. Every program that holds tokens calls
/// it first. A failure does not prevent the program from starting.
pub fn forbid_core_dumps() {
    if cfg!(debug_assertions) {
        return;
    }
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
