//! `cargo xtask bundle`: the packages that people install.
//!
//! Cargo builds the programs, and the Tauri CLI only packages them, so that nothing is built twice.

mod control;
mod depends;
mod extras;
mod metainfo;
mod notices;
mod requires;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::repository::Repository;
use crate::setup::{self, Purpose};
use crate::{command, start, ui};

/// Dependencies that are not libraries: the databases of desktop entries and icons, and the program that opens links.
const UNDETECTED: [&str; 3] = ["desktop-file-utils", "hicolor-icon-theme", "xdg-utils"];

/// The packaged programs.
const PROGRAMS: [&str; 3] = ["usher", "usher-bridge", "usher-desktop"];

const PACKAGE_DEADLINE: Duration = Duration::from_secs(20 * 60);

#[derive(clap::Args)]
pub struct Arguments {
    /// Package debug builds, for the tests: they build faster, but are larger
    #[arg(long)]
    debug: bool,
    /// Package the existing builds, without building
    #[arg(long)]
    as_built: bool,
    /// Formats to build; the default is all formats that need no download
    #[arg(long, value_enum)]
    format: Vec<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Debian, Ubuntu
    Deb,
    /// Fedora, openSUSE
    Rpm,
    /// Any Linux; downloads linuxdeploy if it is missing
    Appimage,
    /// macOS; untested
    Dmg,
    /// Windows; untested
    Msi,
}

pub fn bundle(repository: &Repository, arguments: &Arguments) -> Result<()> {
    setup::bundler(repository)?;
    let profile = if arguments.debug { Profile::Debug } else { Profile::Release };
    if !arguments.as_built {
        setup::set_up(repository, Purpose::Start)?;
        ui::build_if_changed(repository)?;
        match profile {
            Profile::Debug => start::build(repository)?,
            Profile::Release => build_release(repository)?,
        }
    }
    let chosen = arguments.format.as_slice();
    let formats = if chosen.is_empty() {
        default_formats(linuxdeploy().is_some_and(|tool| tool.exists()))
    } else {
        chosen.to_vec()
    };
    for package in package(repository, profile, &formats)? {
        let bytes = fs::metadata(&package)?.len();
        println!("{} ({:.1} MB)", package.display(), bytes as f64 / 1e6);
    }
    if cfg!(target_os = "linux") && !formats.contains(&Format::Appimage) && chosen.is_empty() {
        println!("No AppImage: its tools are missing. `--format appimage` downloads them.");
    }
    Ok(())
}

/// Packages the existing debug builds, for the tests.
pub fn packages_for_tests(repository: &Repository) -> Result<()> {
    package(repository, Profile::Debug, &[Format::Deb, Format::Rpm]).map(drop)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    Debug,
    Release,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

impl Format {
    /// The name that the Tauri CLI uses for the format and its folder, and the file extension.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Deb => ("deb", "deb"),
            Self::Rpm => ("rpm", "rpm"),
            Self::Appimage => ("appimage", "AppImage"),
            Self::Dmg => ("dmg", "dmg"),
            Self::Msi => ("msi", "msi"),
        }
    }
}

/// The default formats of this system.
fn default_formats(has_linuxdeploy: bool) -> Vec<Format> {
    match env::consts::OS {
        "macos" => vec![Format::Dmg],
        "windows" => vec![Format::Msi],
        _ if has_linuxdeploy => vec![Format::Deb, Format::Rpm, Format::Appimage],
        _ => vec![Format::Deb, Format::Rpm],
    }
}

/// The path of linuxdeploy, which the Tauri CLI downloads for an AppImage.
fn linuxdeploy() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))?;
    Some(cache.join("tauri").join(format!("linuxdeploy-{}.AppImage", env::consts::ARCH)))
}

/// Builds the programs and `usher-empty-window` in one call, as `cargo xtask bench` does, so that both tasks share the
/// built dependencies.
fn build_release(repository: &Repository) -> Result<()> {
    println!(
        "build: release builds of the app, the command line and the bridge (the first time takes many minutes)"
    );
    let packages = ["usher-desktop", "usher-cli", "usher-bridge", "usher-empty-window"];
    let packages = packages.map(|package| ["-p", package]).concat();
    let mut build = repository.cargo();
    command::run(build.args(["build", "--release", "--locked"]).args(packages), start::BUILD_DEADLINE)
}

/// Packages the existing builds. Returns the paths of the packages.
fn package(repository: &Repository, profile: Profile, formats: &[Format]) -> Result<Vec<PathBuf>> {
    println!("package: {}", formats.iter().map(|format| format.names().0).collect::<Vec<_>>().join(", "));
    let started = SystemTime::now();
    let extras = extras::make(repository, profile.name())?;
    let mut tauri = repository.tauri();
    tauri.current_dir(repository.path("src-tauri")).env("CARGO_TARGET_DIR", repository.target(""));
    tauri.args(["bundle", "--ci", "--no-sign"]);
    // The program is not modified: it may be running, and it does not need to know its package format.
    tauri.arg("--no-binary-patching");
    if profile == Profile::Debug {
        tauri.arg("--debug");
    }
    for format in formats {
        tauri.args(["--bundles", format.names().0]);
    }
    let mut config = config(&extras);
    if let Some(depends) = depends::read(repository, profile.name())? {
        config["bundle"]["linux"]["deb"]["depends"] = json!(depends);
    }
    if let Some(requires) = requires::read(repository, profile.name()) {
        config["bundle"]["linux"]["rpm"]["depends"] = json!(requires);
    }
    tauri.arg("--config").arg(config.to_string());
    command::run_quietly(&mut tauri, PACKAGE_DEADLINE)?;
    let folder = repository.target(profile.name()).join("bundle");
    let mut packages = Vec::new();
    for format in formats {
        let package = newest(&folder, *format, started)?;
        if *format == Format::Deb {
            control::remove_duplicate_dependencies(repository, &package)?;
        }
        packages.push(package);
    }
    Ok(packages)
}

/// Returns the additions to `tauri.conf.json`: the generated files.
fn config(extras: &extras::Extras) -> Value {
    let mut config = json!({ "bundle": {
        "externalBin": &extras.commands,
        "linux": {
            "deb": { "files": files(extras, "/usr/share/zsh/vendor-completions/_usher") },
            "rpm": {
                "files": files(extras, "/usr/share/zsh/site-functions/_usher"),
                "postRemoveScript": &extras.after_removal,
            },
            "appimage": { "files": { "/usr/share/doc/usher/THIRD-PARTY-NOTICES.txt": &extras.notices } },
        },
    } });
    // On these systems a package stores documents among the files of the app.
    if cfg!(any(target_os = "macos", windows)) {
        config["bundle"]["resources"] =
            json!({ extras.notices.to_string_lossy(): "THIRD-PARTY-NOTICES.txt" });
    }
    config
}

/// The files of a Linux package. Distributions differ only in the folder of the zsh completions.
fn files(extras: &extras::Extras, zsh: &str) -> Value {
    json!({ "/usr/share": &extras.share, zsh: &extras.zsh_completions })
}

/// The package of one format that was built after `started`. Packages of older versions may be in the same folder.
fn newest(folder: &Path, format: Format, started: SystemTime) -> Result<PathBuf> {
    let (name, extension) = format.names();
    let folder = folder.join(name);
    let entries = fs::read_dir(&folder).with_context(|| format!("read the folder {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let is_ours = path.extension().is_some_and(|found| found == extension) && path.is_file();
        // The timestamps of file systems are coarser than the clock.
        let since = started - Duration::from_secs(2);
        if is_ours && fs::metadata(&path)?.modified()? >= since {
            return Ok(path);
        }
    }
    bail!("no .{extension} was built in {}", folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_package_is_not_returned() {
        let folder = tempfile::tempdir().expect("temp dir");
        fs::create_dir(folder.path().join("deb")).expect("create the folder");
        let package = folder.path().join("deb/Usher_0.1.0_amd64.deb");
        fs::write(&package, "").expect("write a package");
        let now = SystemTime::now();
        assert_eq!(newest(folder.path(), Format::Deb, now).expect("the package"), package);
        let later = now + Duration::from_secs(60);
        assert!(newest(folder.path(), Format::Deb, later).is_err());
    }

    #[test]
    fn an_appimage_is_built_only_if_its_tools_are_installed() {
        if cfg!(target_os = "linux") {
            assert_eq!(default_formats(false), [Format::Deb, Format::Rpm]);
            assert_eq!(default_formats(true), [Format::Deb, Format::Rpm, Format::Appimage]);
        }
    }
}
