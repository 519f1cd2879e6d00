//! The PATH in which programs are found.
//!
//! An app that was started from a menu has a minimal PATH: the lines that add Homebrew, nvm or cargo are in the
//! start-up files of the person's shell. So the shell is asked once, when the first program starts.

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use process_wrap::tokio::{CommandWrap, KillOnDrop};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::OnceCell;

/// The time that the shell has. Some start-up files take seconds.
const DEADLINE: Duration = Duration::from_secs(10);
/// Bytes of the shell's output that are read. Start-up files may print something.
const LARGEST_OUTPUT: u64 = 256 * 1024;
/// The folders in which people install programs, relative to the home folder. They come last.
const HOME_FOLDERS: [&str; 7] = [
    ".local/bin",
    ".cargo/bin",
    ".volta/bin",
    ".bun/bin",
    ".deno/bin",
    ".local/share/mise/shims",
    ".asdf/shims",
];
const FOLDERS: [&str; 6] = ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/// The search path. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SearchPath(Arc<OnceCell<OsString>>);

impl SearchPath {
    /// Returns the path. Asks the person's shell at the first call.
    pub async fn get(&self) -> &OsStr {
        self.0.get_or_init(find).await
    }
}

async fn find() -> OsString {
    let own = env::var_os("PATH").unwrap_or_default();
    // In a terminal, the shell has already set the path, perhaps that of a project.
    let asks_shell = cfg!(unix) && env::var_os("TERM").is_none_or(|term| term.is_empty());
    let of_shell = if asks_shell { ask_shell().await } else { None };
    join(of_shell.as_deref(), &own, env::home_dir().as_deref())
}

/// Joins the shell's folders, our own and the usual ones, without duplicates.
fn join(of_shell: Option<&OsStr>, own: &OsStr, home: Option<&Path>) -> OsString {
    let usual: Vec<PathBuf> = match (cfg!(unix), home) {
        (false, _) => Vec::new(),
        (true, None) => FOLDERS.iter().map(PathBuf::from).collect(),
        (true, Some(home)) => {
            let in_home = HOME_FOLDERS.iter().map(|folder| home.join(folder));
            FOLDERS.iter().map(PathBuf::from).chain(in_home).collect()
        }
    };
    let mut seen = BTreeSet::new();
    let of_shell = of_shell.into_iter().flat_map(env::split_paths);
    // A relative folder would depend on the folder of the program.
    let all = of_shell.chain(env::split_paths(own)).chain(usual).filter(|folder| folder.is_absolute());
    let folders: Vec<PathBuf> = all.filter(|folder| seen.insert(folder.clone())).collect();
    env::join_paths(folders).unwrap_or_else(|_| own.to_owned())
}

/// Asks the person's shell: first as an interactive login shell, because some people set the path only there, then as a
/// plain login shell.
async fn ask_shell() -> Option<OsString> {
    let shell = env::var_os("SHELL").filter(|shell| Path::new(shell).is_absolute());
    let shell = PathBuf::from(shell.unwrap_or_else(|| "/bin/sh".into()));
    for options in options_of(&shell) {
        if let Some(path) = ask(&shell, options).await {
            return Some(path);
        }
    }
    tracing::warn!(shell = %shell.display(), "the shell did not report its PATH");
    None
}

/// The options that make a shell run a command, in the order of the attempts.
fn options_of(shell: &Path) -> &'static [&'static str] {
    match shell.file_name().and_then(OsStr::to_str) {
        // These shells accept `-l` only without other options.
        Some("tcsh" | "csh") => &["-ic"],
        Some("pwsh") => &["-Login -Command"],
        Some(_) | None => &["-l -i -c", "-l -c"],
    }
}

async fn ask(shell: &Path, options: &str) -> Option<OsString> {
    let mark = format!("usher-{:016x}", rand::random::<u64>());
    let mut command = CommandWrap::with_new(shell, |command| {
        // `printenv` is a program, so this line means the same in every shell.
        command.args(options.split(' ')).arg(format!("echo {mark}; printenv PATH; echo {mark}"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    });
    // A session of its own has no terminal, which an interactive shell would otherwise take.
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessSession);
    command.wrap(KillOnDrop);
    let mut child = command.spawn().ok()?;
    let stdout = child.stdout().take()?;
    let read = tokio::time::timeout(DEADLINE, between_marks(stdout, &mark)).await;
    // Also ends what the start-up files have started in the background.
    let _ = child.start_kill();
    let _ = tokio::time::timeout(Duration::from_secs(1), child.wait()).await;
    read.ok().flatten()
}

/// Reads until the second mark, because a program that the start-up files started may keep the pipe open.
async fn between_marks(stdout: impl AsyncRead + Unpin, mark: &str) -> Option<OsString> {
    let (mut text, mut stdout) = (Vec::new(), stdout.take(LARGEST_OUTPUT));
    loop {
        let read = stdout.read_buf(&mut text).await.ok()?;
        let parts: Vec<String> = String::from_utf8_lossy(&text).split(mark).map(str::to_owned).collect();
        // One read may return more than two marks, because a shell can run the command twice.
        if let [_, path, _, ..] = parts.as_slice() {
            let path = path.trim();
            return path.contains('/').then(|| OsString::from(path));
        }
        if read == 0 {
            return None;
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    async fn path_of(shell: &str) -> Option<OsString> {
        let folder = tempfile::tempdir().expect("create a folder");
        let file = folder.path().join("shell");
        std::fs::write(&file, format!("#!/bin/sh\n{shell}\n")).expect("write the shell");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o700)).expect("make it executable");
        ask(&file, "-l -c").await
    }

    #[tokio::test]
    async fn the_path_of_a_shell_is_found_between_its_own_texts() {
        let chatty = r#"echo "Welcome, PATH=/wrong"; PATH=/opt/tools:$PATH; export PATH; shift; eval "$2$1" 2>/dev/null; eval "$2"; echo bye"#;
        let own = env::var("PATH").expect("a path");
        assert_eq!(path_of(chatty).await, Some(format!("/opt/tools:{own}").into()));
        // A program in the background keeps the pipe open.
        let background = r#"sleep 60 & eval "$3""#;
        assert_eq!(path_of(background).await, Some(own.into()));
    }

    #[tokio::test]
    async fn a_shell_that_fails_or_prints_no_path_is_ignored() {
        for shell in ["exit 1", "echo nothing", "eval 'printf %s \"$3\"' | sed 's/printenv PATH/echo/' | sh"]
        {
            assert_eq!(path_of(shell).await, None, "{shell}");
        }
        assert_eq!(ask(Path::new("/does/not/exist"), "-c").await, None);
    }

    #[test]
    fn the_folders_of_the_shell_come_first() {
        let joined =
            join(Some(OsStr::new("/nvm:/usr/bin:.")), OsStr::new("/usr/bin:/venv"), Some(Path::new("/h")));
        let joined = joined.to_str().expect("text");
        assert!(joined.starts_with("/nvm:/usr/bin:/venv:/opt/homebrew/bin:/usr/local/bin:/bin:"), "{joined}");
        assert!(joined.ends_with("/h/.asdf/shims"), "{joined}");
    }
}
