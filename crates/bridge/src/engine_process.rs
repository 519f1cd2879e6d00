//! The process that runs the engine: where it listens, and how it is started.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use usher_api::BridgeHello;
use usher_config::{Environment, Platform, runtime_dir, state_dir};

use crate::connection::{Connection, Failure};

/// How long an engine may take to start. Its keychain may be slow.
const START_DEADLINE: Duration = Duration::from_secs(20);
const START_POLL: Duration = Duration::from_millis(5);
const LOCK_FILE: &str = "engine.lock";
/// The largest number of bytes that are read from the lock file.
const LOCK_BYTES: u64 = 8192;

/// Connects to the running engine. If there is none, starts one.
pub fn connect(hello: &BridgeHello) -> Result<Connection, Failure> {
    let mut started = None;
    loop {
        match Connection::open(&listens_at(), hello) {
            Err(Failure::NotRunning) => {}
            outcome => return outcome,
        }
        match started {
            None => {
                start().map_err(Failure::Io)?;
                started = Some(Instant::now());
            }
            Some(started) if started.elapsed() > START_DEADLINE => return Err(Failure::NotRunning),
            Some(_) => thread::sleep(START_POLL),
        }
    }
}

/// Returns the folder of the engine's socket. The holder writes it into the lock file in the state folder, because a
/// client that was started outside the desktop session has another runtime folder.
fn listens_at() -> PathBuf {
    let environment = Environment::of_process();
    let platform = Platform::current();
    let state =
        environment.get("USHER_STATE_DIR").map_or_else(|| state_dir(&environment, platform), PathBuf::from);
    read_lock(&state.join(LOCK_FILE)).unwrap_or_else(|| {
        environment
            .get("USHER_RUNTIME_DIR")
            .map_or_else(|| runtime_dir(&environment, platform), PathBuf::from)
    })
}

/// Returns the runtime folder in a lock file: its second line.
fn read_lock(file: &Path) -> Option<PathBuf> {
    let mut text = String::new();
    std::fs::File::open(file).ok()?.take(LOCK_BYTES).read_to_string(&mut text).ok()?;
    let folder = PathBuf::from(text.lines().nth(1)?);
    folder.is_absolute().then_some(folder)
}

/// Starts `usher serve` from the folder of this program. It outlives this program.
fn start() -> std::io::Result<()> {
    let usher = std::env::current_exe()?.with_file_name("usher");
    let mut command = Command::new(usher);
    command.arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A process group of its own, so that the client's signals do not reach it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map(drop)
}
