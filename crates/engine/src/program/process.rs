//! A running program: its start, its pipes, and its end with everything that it has started.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use secrecy::{ExposeSecret, SecretString};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use usher_budgets as budgets;

use super::environment::is_inherited;
use super::guardian::Guardian;
use super::launch::Resolved;
use super::output::Output;

/// The time that a program has to exit after its input is closed, and again after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// The same for programs that must stop a container first.
const CONTAINER_GRACE: Duration = Duration::from_secs(10);
/// The same while Usher quits.
const QUITTING_GRACE: Duration = Duration::from_millis(500);
/// The time for reading the rest of a program's output, and for its remaining processes to exit.
const LEFTOVER_TIME: Duration = Duration::from_millis(500);

/// An exit after at least this time is not a quick one.
const LONG_ENOUGH: Duration = Duration::from_secs(60);

/// The parts of the engine that a process needs.
pub(crate) struct ProcessContext<'a> {
    pub search_path: &'a OsStr,
    pub guardian: &'a Guardian,
    pub tasks: &'a TaskTracker,
    /// Cancelled when the engine stops.
    pub stopping: CancellationToken,
    pub output: Output,
    /// The values that must not appear in the output.
    pub secrets: Vec<SecretString>,
    /// Called after new output.
    pub on_output: Box<dyn Fn() + Send + Sync>,
    pub exits: Arc<QuickExits>,
    /// Dropped after the end of the process.
    pub until_end: Box<dyn Send + Sync>,
}

/// Counts the exits in a row that came soon after a start.
#[derive(Debug, Default)]
pub(crate) struct QuickExits(AtomicU32);

/// A program with its pipes. Dropping `stop` ends it.
pub(crate) struct Process {
    pub stdin: ChildStdin,
    pub stdout: ChildStdout,
    pub stop: DropGuard,
    /// The end, once the program has ended.
    pub end: watch::Receiver<Option<ProcessEnd>>,
}

/// The end of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessEnd {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// The time between start and end.
    pub uptime: Duration,
    /// The last lines of its output.
    pub lines: Vec<String>,
    /// Whether it is not started again, because it exited soon several times or its start can never succeed.
    pub is_final: bool,
}

impl QuickExits {
    /// Counts an exit. Returns whether there were too many quick ones.
    fn note(&self, uptime: Duration) -> bool {
        if uptime >= LONG_ENOUGH {
            self.reset();
            return false;
        }
        self.0.fetch_add(1, Ordering::Relaxed) + 1 >= budgets::QUICK_EXITS
    }

    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// The reason why a program did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the program was not found")]
    NotFound,
    #[error("the folder does not exist")]
    NoFolder(PathBuf),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Process {
    pub fn start(resolved: &Resolved, context: ProcessContext<'_>) -> Result<Self, StartError> {
        let folder = resolved.folder.clone().or_else(env::home_dir).unwrap_or_else(|| PathBuf::from("/"));
        if !folder.is_absolute() || !folder.is_dir() {
            return Err(StartError::NoFolder(folder));
        }
        let own_path = resolved.environment.iter().find(|(name, _)| name == "PATH");
        let search_path = own_path.map_or(context.search_path, |(_, path)| path.expose_secret().as_ref());
        let program = find(&resolved.command, search_path, &folder)?;
        let grace = if is_container(&program) { CONTAINER_GRACE } else { GRACE };
        let mut command = CommandWrap::with_new(&program, |command| {
            command.args(resolved.arguments()).current_dir(&folder);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.env_clear();
            command.envs(env::vars_os().filter(|(name, value)| is_inherited(name, value)));
            command.env("PATH", search_path);
            if cfg!(windows) {
                // Otherwise, Python writes in the encoding of the console.
                command.env("PYTHONUTF8", "1").env("PYTHONIOENCODING", "utf-8");
            }
            command.envs(resolved.environment.iter().map(|(name, value)| (name, value.expose_secret())));
        });
        // A session of its own has no terminal, so the program cannot ask questions there.
        #[cfg(unix)]
        command.wrap(process_wrap::tokio::ProcessSession);
        #[cfg(windows)]
        {
            use windows::Win32::System::Threading::CREATE_NO_WINDOW;
            command.wrap(process_wrap::tokio::CreationFlags(CREATE_NO_WINDOW));
            command.wrap(process_wrap::tokio::JobObject);
        }
        command.wrap(KillOnDrop);
        let mut child = command.spawn()?;
        let started = Instant::now();
        let pipes = (child.stdin().take(), child.stdout().take(), child.stderr().take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        };
        let guarded = child.id().map(|id| context.guardian.guard(id));
        let ProcessContext { output, secrets, on_output, exits, until_end, .. } = context;
        let reading = {
            let output = output.clone();
            tokio::spawn(async move { output.read(stderr, secrets, on_output).await })
        };
        let stop = CancellationToken::new();
        let (sender, end) = watch::channel(None);
        let (stopped, stopping) = (stop.clone(), context.stopping);
        context.tasks.spawn(async move {
            let status = own(child.as_mut(), &stopped, &stopping, grace).await;
            // Before the system can reuse the id of the group.
            if let Some(guarded) = guarded {
                guarded.release();
            }
            read_to_end(reading).await;
            let (uptime, is_wanted) = (started.elapsed(), stopped.is_cancelled());
            let is_final = !is_wanted && exits.note(uptime);
            sender.send_replace(Some(process_end(status, uptime, is_final, &output)));
            drop(until_end);
        });
        Ok(Self { stdin, stdout, stop: stop.drop_guard(), end })
    }
}

/// Waits for the end, or causes it. Afterwards, no process of the group is left.
async fn own(
    child: &mut dyn ChildWrapper,
    stop: &CancellationToken,
    stopping: &CancellationToken,
    grace: Duration,
) -> Option<ExitStatus> {
    let status = tokio::select! {
        status = child.wait() => status.ok(),
        () = stop.cancelled() => end(child, grace, stopping).await,
    };
    if ask_to_end(child) {
        tokio::time::sleep(LEFTOVER_TIME).await;
        let _ = child.start_kill();
    }
    status
}

/// Ends a program whose input was closed: waits, asks it to end, waits again, and kills it.
async fn end(
    child: &mut dyn ChildWrapper,
    grace: Duration,
    stopping: &CancellationToken,
) -> Option<ExitStatus> {
    for _ in 0..2 {
        tokio::select! {
            status = child.wait() => return status.ok(),
            () = patience(grace, stopping) => {}
        }
        ask_to_end(child);
    }
    let _ = child.start_kill();
    child.wait().await.ok()
}

/// Waits for the time that a program has. It is shorter as soon as Usher quits.
async fn patience(grace: Duration, stopping: &CancellationToken) {
    let quitting = async {
        stopping.cancelled().await;
        tokio::time::sleep(QUITTING_GRACE).await;
    };
    tokio::select! {
        () = tokio::time::sleep(grace) => {}
        () = quitting => {}
    }
}

/// Asks all processes of the group to end. Returns whether there are any.
fn ask_to_end(child: &dyn ChildWrapper) -> bool {
    #[cfg(unix)]
    return child.signal(rustix::process::Signal::TERM.as_raw()).is_ok();
    // Windows has no such request. The job object ends the remaining processes.
    #[cfg(not(unix))]
    {
        let _ = child;
        true
    }
}

/// Waits until the output is read.
async fn read_to_end(mut reading: JoinHandle<()>) {
    if tokio::time::timeout(LEFTOVER_TIME, &mut reading).await.is_err() {
        // A process that left the group keeps the pipe open.
        reading.abort();
    }
}

fn process_end(status: Option<ExitStatus>, uptime: Duration, is_final: bool, output: &Output) -> ProcessEnd {
    #[cfg(unix)]
    let signal = status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status));
    #[cfg(not(unix))]
    let signal = None;
    let code = status.and_then(|status| status.code());
    // 126 and 127: a start script has no permission to run its program, or did not find it.
    let is_final = is_final || matches!(code, Some(126 | 127));
    ProcessEnd { code, signal, uptime, lines: output.lines(), is_final }
}

/// Finds a program by name in the search path, or by its path. A relative path begins at the folder.
fn find(command: &str, search_path: &OsStr, folder: &Path) -> Result<PathBuf, StartError> {
    // No shell replaces a `~` in the command.
    let in_home = command.strip_prefix("~/").zip(env::home_dir()).map(|(rest, home)| home.join(rest));
    let command = in_home.unwrap_or_else(|| PathBuf::from(command));
    which::which_in(command, Some(search_path), folder).map_err(|_| StartError::NotFound)
}

/// Returns whether the program runs another one in a container.
fn is_container(program: &Path) -> bool {
    program.file_stem().is_some_and(|name| name == "docker" || name == "podman")
}
