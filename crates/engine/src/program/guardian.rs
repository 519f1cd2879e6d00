//! Ends the programs if Usher is killed.
//!
//! On Unix, nothing ends the children of a killed process. Usher therefore starts a small shell script, and reports the
//! start and end of each program on its stdin. When Usher ends for any reason, this stdin closes, and the script ends
//! the remaining process groups. On Windows, each program is in a job object, which the system closes.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Reads lines `+GROUP` and `-GROUP`. At the end of its input, ends the remaining groups: first with SIGTERM, and a
/// second later with SIGKILL.
const SCRIPT: &str = r#"
trap '' HUP INT TERM QUIT
groups=' '
while read -r line; do
  group=${line#?}
  case $line in
    +*) groups="$groups$group " ;;
    -*) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
set -- $groups
[ $# -gt 0 ] || exit 0
for group; do kill -s TERM -- "-$group" 2>/dev/null; done
sleep 1
for group; do kill -s KILL -- "-$group" 2>/dev/null; done
"#;

/// The list of the running programs. Clones share one shell, which starts with the first program.
#[derive(Clone, Default)]
pub(crate) struct Guardian(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    shell: Option<Shell>,
    groups: BTreeSet<u32>,
}

struct Shell {
    process: Child,
    pipe: Option<ChildStdin>,
}

/// The entry of a running program.
pub(super) struct Guarded {
    guardian: Guardian,
    group: u32,
}

impl Guardian {
    /// Ends this process group if Usher ends before the returned value is released.
    pub(super) fn guard(&self, group: u32) -> Guarded {
        let mut state = self.lock();
        state.groups.insert(group);
        let sent = match &mut state.shell {
            Some(shell) => shell.send('+', group),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        if sent.is_err() && cfg!(unix) {
            state.restart();
        }
        Guarded { guardian: self.clone(), group }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guarded {
    /// Removes the entry, because the group has ended. If it is dropped instead, because the runtime ends, the group ends
    /// with Usher.
    pub(super) fn release(self) {
        let mut state = self.guardian.lock();
        state.groups.remove(&self.group);
        if let Some(shell) = &mut state.shell
            && shell.send('-', self.group).is_err()
        {
            state.restart();
        }
    }
}

impl State {
    /// Starts a shell with all groups, because none is running.
    fn restart(&mut self) {
        self.shell = None;
        match Shell::start(&self.groups) {
            Ok(shell) => self.shell = Some(shell),
            Err(error) => tracing::warn!(%error, "the programs will not end if Usher is killed"),
        }
    }
}

impl Shell {
    fn start(groups: &BTreeSet<u32>) -> io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT]).env_clear().env("PATH", "/usr/bin:/bin").current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A group of its own, so that Ctrl+C in the terminal does not end it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn()?;
        let pipe = process.stdin.take();
        let mut shell = Self { process, pipe };
        for group in groups {
            shell.send('+', *group)?;
        }
        Ok(shell)
    }

    fn send(&mut self, change: char, group: u32) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else { return Err(io::ErrorKind::BrokenPipe.into()) };
        pipe.write_all(format!("{change}{group}\n").as_bytes())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // The shell ends at once if no group is left, and otherwise after a second.
        self.pipe = None;
        let _ = self.process.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;
    use std::os::unix::process::{CommandExt, ExitStatusExt};

    use super::*;

    /// Starts a program that ignores SIGTERM.
    fn stubborn() -> Child {
        let script = "trap '' TERM; echo; exec sleep 600";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).process_group(0).stdout(Stdio::piped());
        let mut child = command.spawn().expect("start a shell");
        // Before its line, a request would end it.
        let mut line = [0];
        child.stdout.as_mut().expect("a pipe").read_exact(&mut line).expect("read a line");
        child
    }

    #[test]
    fn the_groups_that_are_left_end_with_the_guardian() {
        let guardian = Guardian::default();
        let mut children: Vec<Child> = (0..4).map(|_| stubborn()).collect();
        let mut guarded: Vec<Guarded> = children.iter().map(|child| guardian.guard(child.id())).collect();
        // The second, the last, then the first: removed from the middle, the end and the beginning of the list.
        for ended in [guarded.remove(1), guarded.remove(2), guarded.remove(0)] {
            ended.release();
        }
        drop(guardian);
        // The remaining entry owns the last clone, as if the process ended.
        let state = Arc::clone(&guarded[0].guardian.0);
        state.lock().expect("lock").shell = None;
        let killed = children.remove(2).wait().expect("wait");
        assert_eq!(killed.signal(), Some(9));
        for mut child in children {
            assert!(child.try_wait().expect("wait").is_none(), "a program that is not guarded was ended");
            child.kill().expect("end the program");
            child.wait().expect("wait");
        }
    }

    #[test]
    fn a_guardian_that_was_killed_is_replaced() {
        let guardian = Guardian::default();
        let mut first = stubborn();
        let guarded = guardian.guard(first.id());
        {
            let mut state = guardian.lock();
            let shell = state.shell.as_mut().expect("a shell");
            shell.process.kill().expect("end the shell");
            shell.process.wait().expect("wait");
        }
        let mut second = stubborn();
        let also = guardian.guard(second.id());
        guardian.lock().shell = None;
        for child in [&mut first, &mut second] {
            assert_eq!(child.wait().expect("wait").signal(), Some(9));
        }
        drop((guarded, also));
    }
}
