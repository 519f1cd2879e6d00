//! Keeps tokens in memory out of core dumps and away from the person's other programs.

/// In a debug build, allows debuggers and core dumps.
const ALLOW_DEBUGGER: &str = "USHER_ALLOW_DEBUGGER";

/// Forbids core dumps (on Unix) and debuggers (on Linux), except in debug builds with the environment variable
/// `USHER_ALLOW_DEBUGGER`. Every program that holds tokens calls it first. A failure does not prevent the program from
/// starting.
pub fn forbid_core_dumps() {
    if !cfg!(debug_assertions) || std::env::var_os(ALLOW_DEBUGGER).is_none() {
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
