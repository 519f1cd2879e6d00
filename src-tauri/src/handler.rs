//! Makes this program the one that the system brings `dev.usher.desktop:` links to (Linux).
//!
//! An entry of our own, because the usual ones do not work everywhere: xdg-open without a desktop environment runs
//! the first word of an unquoted `Exec` and nothing else, and an entry without `%u` loses the link. Nothing here may
//! keep the app from starting; without a handler the redirect ladder begins at the loopback listener. Where a package
//! brought an entry that does the same, that one serves.

pub mod packaged;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ENTRY: &str = "dev.usher.desktop-handler.desktop";
const MIME_TYPE: &str = "x-scheme-handler/dev.usher.desktop";

/// The folders that the registration needs.
pub struct Folders {
    /// `$XDG_DATA_HOME`, where applications are listed.
    pub data: PathBuf,
    /// `$XDG_CONFIG_HOME`, where the defaults are listed.
    pub config: PathBuf,
    /// Where a path without spaces to the program can be made.
    pub state: PathBuf,
    /// `$XDG_DATA_DIRS`, where packages list applications.
    pub shared: Vec<PathBuf>,
}

/// Registers `program`, and says whether links will come. Quick when it was done before.
pub fn register(program: &Path, folders: &Folders) -> bool {
    let registered = if packaged::takes_links(program, &folders.shared, MIME_TYPE) {
        leave_to_the_package(folders)
    } else {
        register_own_entry(program, folders)
    };
    match registered {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "links will not come back to Usher by themselves");
            false
        }
    }
}

fn register_own_entry(program: &Path, folders: &Folders) -> io::Result<()> {
    write_entry(program, folders)?;
    if default(&folders.config).as_deref() == Some(ENTRY) {
        return Ok(());
    }
    refresh(&folders.data);
    make_default(ENTRY)
}

/// Takes our own entry away, if an earlier run from elsewhere left one, and any other program's claim.
fn leave_to_the_package(folders: &Folders) -> io::Result<()> {
    match fs::remove_file(folders.data.join("applications").join(ENTRY)) {
        Ok(()) => refresh(&folders.data),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match default(&folders.config) {
        // Nobody chose: the system finds the entry by its type.
        None => Ok(()),
        Some(entry) if entry == packaged::ENTRY => Ok(()),
        Some(_) => make_default(packaged::ENTRY),
    }
}

/// Only a cache, and not on every system.
fn refresh(data: &Path) {
    let _ = run("update-desktop-database", &[data.join("applications").as_os_str()]);
}

fn make_default(entry: &str) -> io::Result<()> {
    run("xdg-mime", &["default".as_ref(), entry.as_ref(), MIME_TYPE.as_ref()])
}

fn write_entry(program: &Path, folders: &Folders) -> io::Result<()> {
    let text = entry(&exec(program, &folders.state)?);
    let applications = folders.data.join("applications");
    let path = applications.join(ENTRY);
    if fs::read_to_string(&path).is_ok_and(|existing| existing == text) {
        return Ok(());
    }
    fs::create_dir_all(&applications)?;
    fs::write(path, text)
}

/// The entry, whole. `NoDisplay`: the menu has the app's own entry.
fn entry(exec: &str) -> String {
    format!(
        "[Desktop Entry]\nType=Application\nName=Usher\nComment=Takes sign-ins back from the browser\n\
         Exec={exec} %u\nTerminal=false\nNoDisplay=true\nMimeType={MIME_TYPE};\n"
    )
}

/// The program's path, as it may stand in `Exec` unquoted: itself, or a link to it in the state folder.
pub fn exec(program: &Path, state: &Path) -> io::Result<String> {
    if let Some(plain) = plain(program) {
        return Ok(plain.to_owned());
    }
    let link = state.join("usher-desktop");
    let Some(plain) = plain(&link) else {
        return Err(io::Error::other("neither the program nor the state folder has a path without spaces"));
    };
    if fs::read_link(&link).ok().as_deref() != Some(program) {
        fs::create_dir_all(state)?;
        match fs::remove_file(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        std::os::unix::fs::symlink(program, &link)?;
    }
    Ok(plain.to_owned())
}

/// An absolute path of letters, digits and what needs no quoting in `Exec` (Desktop Entry Specification, "The Exec
/// key"): no spaces, no `%`, no reserved characters.
fn plain(path: &Path) -> Option<&str> {
    let text = path.to_str().filter(|_| path.is_absolute())?;
    let plain = |character: char| character.is_alphanumeric() || "/._-+,@:".contains(character);
    text.chars().all(plain).then_some(text)
}

/// The entry that the person's defaults name for the scheme. Reading the file saves running `xdg-mime`, a shell
/// script, at every start.
fn default(config: &Path) -> Option<String> {
    let text = fs::read_to_string(config.join("mimeapps.list")).ok()?;
    default_in(&text).map(str::to_owned)
}

fn default_in(mimeapps: &str) -> Option<&str> {
    let mut in_defaults = false;
    for line in mimeapps.lines().map(str::trim) {
        if line.starts_with('[') {
            in_defaults = line == "[Default Applications]";
        } else if in_defaults
            && let Some((key, entries)) = line.split_once('=')
            && key.trim() == MIME_TYPE
        {
            return entries.split(';').next().map(str::trim);
        }
    }
    None
}

fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> io::Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{program} failed: {status}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_takes_the_link_and_quotes_nothing() {
        insta::assert_snapshot!(entry("/opt/usher/usher-desktop"), @"
        [Desktop Entry]
        Type=Application
        Name=Usher
        Comment=Takes sign-ins back from the browser
        Exec=/opt/usher/usher-desktop %u
        Terminal=false
        NoDisplay=true
        MimeType=x-scheme-handler/dev.usher.desktop;
        ");
    }

    #[test]
    fn a_program_with_spaces_in_its_path_gets_a_link_without() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("My Apps/usher-desktop");
        let state = folder.path().join("state");
        let link = state.join("usher-desktop");
        for _ in 0..2 {
            assert_eq!(exec(&program, &state).unwrap(), link.to_str().unwrap());
            assert_eq!(fs::read_link(&link).unwrap(), program);
        }
        let moved = folder.path().join("100%/usher-desktop");
        exec(&moved, &state).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), moved);
    }

    #[test]
    fn without_any_plain_path_there_is_no_handler() {
        let folder = tempfile::tempdir().unwrap();
        assert!(exec(&folder.path().join("a b"), &folder.path().join("c d")).is_err());
        assert!(!folder.path().join("c d").exists());
    }

    fn folders(root: &Path) -> Folders {
        Folders {
            data: root.join("data"),
            config: root.join("config"),
            state: root.join("state"),
            shared: vec![root.join("usr/share")],
        }
    }

    #[test]
    fn the_entry_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let folders = folders(folder.path());
        let path = folders.data.join("applications").join(ENTRY);
        write_entry(Path::new("/opt/usher"), &folders).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), entry("/opt/usher"));
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        write_entry(Path::new("/opt/usher"), &folders).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
    }

    #[test]
    fn what_a_package_installed_leaves_nothing_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        let listed = root.path().join("usr/share/applications");
        fs::create_dir_all(&listed).unwrap();
        fs::write(listed.join(packaged::ENTRY), format!("MimeType={MIME_TYPE};\n")).unwrap();
        let program = root.path().join("usr/bin/usher-desktop");
        assert!(register(&program, &folders));
        assert!(!folders.data.exists() && !folders.config.exists());

        // An earlier run from a build folder had written one.
        write_entry(Path::new("/opt/usher"), &folders).unwrap();
        assert!(register(&program, &folders));
        assert!(!folders.data.join("applications").join(ENTRY).exists());
    }

    #[test]
    fn the_defaults_are_read_as_the_system_reads_them() {
        let ours = "[Added Associations]\nx=y;\n\n[Default Applications]\n\
                    x-scheme-handler/dev.usher.desktop = first.desktop;other.desktop\n";
        assert_eq!(default_in(ours), Some("first.desktop"));
        for other in ["", "[Added Associations]\nx-scheme-handler/dev.usher.desktop=first.desktop\n"] {
            assert_eq!(default_in(other), None, "{other}");
        }
    }
}
