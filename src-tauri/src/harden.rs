//! Keeps tokens in memory out of core dumps and away from other programs of the same person.

/// Asks the system for what it offers; a refusal is no reason not to start. Debug builds stay open to debuggers.
pub fn harden() {
    if cfg!(debug_assertions) {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Also closes /proc/PID/mem and ptrace to everybody but root.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
}
