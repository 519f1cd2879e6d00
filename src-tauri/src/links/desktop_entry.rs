//! The desktop entry that makes this program the handler of `dev.usher.desktop:` links (Linux).
//!
//! Usher writes its own entry, because the usual entries do not work everywhere. Without a desktop environment,
//! xdg-open does not support quotes in `Exec`, and an entry without `%u` loses the link. If a package installed an
//! equivalent entry, that entry is used. A failure never prevents the app from starting: without a handler, sign-ins
//! first use the loopback listener.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use usher_secrets::private_files::remove_if_exists;

use super::packaged_entry;

const ENTRY: &str = "dev.usher.desktop-handler.desktop";
const MIME_TYPE: &str = "x-scheme-handler/dev.usher.desktop";

/// The folders that the registration needs.
pub struct Folders {
    /// `$XDG_DATA_HOME`, which lists applications.
    pub data: PathBuf,
    /// `$XDG_CONFIG_HOME`, which lists the defaults.
    pub config: PathBuf,
    /// The folder for a symbolic link to the program, if the program's path needs quotes.
    pub state: PathBuf,
    /// `$XDG_DATA_DIRS`, where packages list applications.
    pub shared: Vec<PathBuf>,
}

/// Registers `program`, and returns whether links will arrive. This is fast if the program is already registered.
pub fn register(program: &Path, folders: &Folders) -> bool {
    let registered = if packaged_entry::handles_links(program, &folders.shared, MIME_TYPE) {
        use_packaged_entry(folders)
    } else {
        register_own_entry(program, folders)
    };
    match registered {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "links will not open Usher automatically");
            false
        }
    }
}

fn register_own_entry(program: &Path, folders: &Folders) -> io::Result<()> {
    write_entry(program, folders)?;
    if default_entry(&folders.config).as_deref() == Some(ENTRY) {
        return Ok(());
    }
    update_database(&folders.data);
    make_default(ENTRY)
}

/// Removes the entry of an earlier run. Replaces any other default with the packaged entry.
fn use_packaged_entry(folders: &Folders) -> io::Result<()> {
    if remove_if_exists(&folders.data.join("applications").join(ENTRY))? {
        update_database(&folders.data);
    }
    match default_entry(&folders.config) {
        // Without a default, the system finds the entry by its MIME type.
        None => Ok(()),
        Some(entry) if entry == packaged_entry::ENTRY => Ok(()),
        Some(_) => make_default(packaged_entry::ENTRY),
    }
}

/// Updates the cache of desktop entries. Not every system has one.
fn update_database(data: &Path) {
    let _ = run("update-desktop-database", &[data.join("applications").as_os_str()]);
}

fn make_default(entry: &str) -> io::Result<()> {
    run("xdg-mime", &["default".as_ref(), entry.as_ref(), MIME_TYPE.as_ref()])
}

fn write_entry(program: &Path, folders: &Folders) -> io::Result<()> {
    let text = entry_text(&exec_path(program, &folders.state)?);
    let applications = folders.data.join("applications");
    let path = applications.join(ENTRY);
    if fs::read_to_string(&path).is_ok_and(|existing| existing == text) {
        return Ok(());
    }
    fs::create_dir_all(&applications)?;
    fs::write(path, text)
}

/// Returns the entry's text. `NoDisplay` is set, because the menu already has an entry for the app.
fn entry_text(exec: &str) -> String {
    format!(
        "[Desktop Entry]\nType=Application\nName=Usher\nComment=Completes sign-ins from the browser\n\
         Exec={exec} %u\nTerminal=false\nNoDisplay=true\nMimeType={MIME_TYPE};\n"
    )
}

/// Returns the program's path as `Exec` can use it without quotes: its own path, or a symbolic link in the state
/// folder.
pub fn exec_path(program: &Path, state: &Path) -> io::Result<String> {
    if let Some(path) = as_unquoted(program) {
        return Ok(path.to_owned());
    }
    let link = state.join("usher-desktop");
    let Some(path) = as_unquoted(&link) else {
        return Err(io::Error::other("the paths of the program and of the state folder both need quotes"));
    };
    if fs::read_link(&link).ok().as_deref() != Some(program) {
        fs::create_dir_all(state)?;
        remove_if_exists(&link)?;
        std::os::unix::fs::symlink(program, &link)?;
    }
    Ok(path.to_owned())
}

/// Returns the path as text if it is absolute and needs no quotes in `Exec` (Desktop Entry Specification, "The Exec
/// key"): no spaces, no `%`, no reserved characters.
fn as_unquoted(path: &Path) -> Option<&str> {
    let text = path.to_str().filter(|_| path.is_absolute())?;
    let needs_no_quotes = |character: char| character.is_alphanumeric() || "/._-+,@:".contains(character);
    text.chars().all(needs_no_quotes).then_some(text)
}

/// Returns the default entry for the scheme. Reading the file is faster than running the shell script `xdg-mime`.
fn default_entry(config: &Path) -> Option<String> {
    let text = fs::read_to_string(config.join("mimeapps.list")).ok()?;
    default_entry_in(&text).map(str::to_owned)
}

fn default_entry_in(mimeapps: &str) -> Option<&str> {
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
    let status = Command::new(program).args(arguments).output()?.status;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{program} failed: {status}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_passes_the_link_and_needs_no_quotes() {
        insta::assert_snapshot!(entry_text("/opt/usher/usher-desktop"), @"
        [Desktop Entry]
        Type=Application
        Name=Usher
        Comment=Completes sign-ins from the browser
        Exec=/opt/usher/usher-desktop %u
        Terminal=false
        NoDisplay=true
        MimeType=x-scheme-handler/dev.usher.desktop;
        ");
    }

    #[test]
    fn a_program_with_spaces_in_its_path_gets_a_symbolic_link() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("My Apps/usher-desktop");
        let state = folder.path().join("state");
        let link = state.join("usher-desktop");
        for _ in 0..2 {
            assert_eq!(exec_path(&program, &state).unwrap(), link.to_str().unwrap());
            assert_eq!(fs::read_link(&link).unwrap(), program);
        }
        let moved = folder.path().join("100%/usher-desktop");
        exec_path(&moved, &state).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), moved);
    }

    #[test]
    fn if_both_paths_need_quotes_there_is_no_handler() {
        let folder = tempfile::tempdir().unwrap();
        assert!(exec_path(&folder.path().join("a b"), &folder.path().join("c d")).is_err());
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
        assert_eq!(fs::read_to_string(&path).unwrap(), entry_text("/opt/usher"));
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        write_entry(Path::new("/opt/usher"), &folders).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
    }

    #[test]
    fn a_packaged_app_writes_no_entry_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        let listed = root.path().join("usr/share/applications");
        fs::create_dir_all(&listed).unwrap();
        fs::write(listed.join(packaged_entry::ENTRY), format!("MimeType={MIME_TYPE};\n")).unwrap();
        let program = root.path().join("usr/bin/usher-desktop");
        assert!(register(&program, &folders));
        assert!(!folders.data.exists() && !folders.config.exists());

        // An earlier run from a build folder wrote its own entry.
        write_entry(Path::new("/opt/usher"), &folders).unwrap();
        assert!(register(&program, &folders));
        assert!(!folders.data.join("applications").join(ENTRY).exists());
    }

    #[test]
    fn the_default_is_read_as_the_system_reads_it() {
        let ours = "[Added Associations]\nx=y;\n\n[Default Applications]\n\
                    x-scheme-handler/dev.usher.desktop = first.desktop;other.desktop\n";
        assert_eq!(default_entry_in(ours), Some("first.desktop"));
        for other in ["", "[Added Associations]\nx-scheme-handler/dev.usher.desktop=first.desktop\n"] {
            assert_eq!(default_entry_in(other), None, "{other}");
        }
    }
}
