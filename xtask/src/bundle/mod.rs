//! `cargo xtask bundle`: the packages that a person installs.
//!
//! Cargo builds the programs as everywhere else; Tauri's tool only packs them. Its own build would be a second one.

mod control;
mod depends;
mod extras;
mod metainfo;
mod notices;
mod requires;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::repository::Repository;
use crate::setup::{self, Need};
use crate::{command, start, ui};

const PACK_DEADLINE: Duration = Duration::from_secs(20 * 60);

#[derive(clap::Args)]
pub struct Arguments {
    /// Pack debug builds: quick, large, for the tests
    #[arg(long)]
    debug: bool,
    /// Pack what is built already, as it is
    #[arg(long)]
    as_built: bool,
    /// What to make, instead of all that this system can make without fetching tools
    #[arg(long, value_enum)]
    format: Vec<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Debian, Ubuntu
    Deb,
    /// Fedora, openSUSE
    Rpm,
    /// Any Linux; fetches linuxdeploy unless it is there
    Appimage,
    /// macOS; never tried
    Dmg,
    /// Windows; never tried
    Msi,
}

pub fn bundle(repository: &Repository, arguments: &Arguments) -> Result<()> {
    setup::bundler(repository)?;
    let profile = if arguments.debug { Profile::Debug } else { Profile::Release };
    if !arguments.as_built {
        setup::set_up(repository, Need::Start)?;
        ui::build_if_changed(repository)?;
        match profile {
            Profile::Debug => start::build(repository)?,
            Profile::Release => build_release(repository)?,
        }
    }
    let chosen = arguments.format.as_slice();
    let formats = if chosen.is_empty() {
        usual(linuxdeploy().is_some_and(|tool| tool.exists()))
    } else {
        chosen.to_vec()
    };
    for package in pack(repository, profile, &formats)? {
        let bytes = fs::metadata(&package)?.len();
        println!("{} ({:.1} MB)", package.display(), bytes as f64 / 1e6);
    }
    if cfg!(target_os = "linux") && !formats.contains(&Format::Appimage) && chosen.is_empty() {
        println!("No AppImage: its tools are not on this machine. `--format appimage` fetches them.");
    }
    Ok(())
}

/// The packages of the debug builds, for the tests. The programs are built already.
pub fn packages_for_tests(repository: &Repository) -> Result<()> {
    pack(repository, Profile::Debug, &[Format::Deb, Format::Rpm]).map(drop)
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
    /// The word of Tauri's tool, its folder in the target folder, and how the files end.
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

/// What this system makes when nothing is said.
fn usual(has_linuxdeploy: bool) -> Vec<Format> {
    match env::consts::OS {
        "macos" => vec![Format::Dmg],
        "windows" => vec![Format::Msi],
        _ if has_linuxdeploy => vec![Format::Deb, Format::Rpm, Format::Appimage],
        _ => vec![Format::Deb, Format::Rpm],
    }
}

/// Where Tauri's tool keeps what it needs for an AppImage, once it was fetched.
fn linuxdeploy() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))?;
    Some(cache.join("tauri").join(format!("linuxdeploy-{}.AppImage", env::consts::ARCH)))
}

/// The same packages in one call as `cargo xtask bench`, so that neither builds the other's dependencies anew.
fn build_release(repository: &Repository) -> Result<()> {
    println!("build: release builds of the app and the command line (the first time takes many minutes)");
    let packages = ["-p", "usher-desktop", "-p", "usher-cli", "-p", "usher-empty-window"];
    let mut build = repository.cargo();
    command::run(build.args(["build", "--release", "--locked"]).args(packages), start::BUILD_DEADLINE)
}

/// Packs what is built, and says where the packages lie.
fn pack(repository: &Repository, profile: Profile, formats: &[Format]) -> Result<Vec<PathBuf>> {
    println!("pack: {}", formats.iter().map(|format| format.names().0).collect::<Vec<_>>().join(", "));
    let started = SystemTime::now();
    let extras = extras::make(repository, profile.name())?;
    let mut tauri = repository.tauri();
    tauri.current_dir(repository.path("src-tauri")).env("CARGO_TARGET_DIR", repository.target(""));
    tauri.args(["bundle", "--ci", "--no-sign"]);
    // The program is left as it is: it may be running, and nothing asks it how it was packed.
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
    command::run_silently(&mut tauri, PACK_DEADLINE)?;
    let folder = repository.target(profile.name()).join("bundle");
    let mut packages = Vec::new();
    for format in formats {
        let package = newest(&folder, *format, started)?;
        if *format == Format::Deb {
            control::set_right(repository, &package)?;
        }
        packages.push(package);
    }
    Ok(packages)
}

/// What is laid over `tauri.conf.json`: files that only a build knows.
fn config(extras: &extras::Extras) -> Value {
    let mut config = json!({ "bundle": {
        "externalBin": [&extras.command],
        "linux": {
            "deb": { "files": files(extras, "/usr/share/zsh/vendor-completions/_usher") },
            "rpm": {
                "files": files(extras, "/usr/share/zsh/site-functions/_usher"),
                "postRemoveScript": &extras.after_removal,
            },
            "appimage": { "files": { "/usr/share/doc/usher/THIRD-PARTY-NOTICES.txt": &extras.notices } },
        },
    } });
    // There a package has no place for papers but among the app's own files.
    if cfg!(any(target_os = "macos", windows)) {
        config["bundle"]["resources"] =
            json!({ extras.notices.to_string_lossy(): "THIRD-PARTY-NOTICES.txt" });
    }
    config
}

/// zsh's folder is the one thing that distributions disagree on.
fn files(extras: &extras::Extras, zsh: &str) -> Value {
    json!({ "/usr/share": &extras.share, zsh: &extras.zsh_completions })
}

/// The package of one format, made since `started`; an older one of another version may lie beside it.
fn newest(folder: &Path, format: Format, started: SystemTime) -> Result<PathBuf> {
    let (name, ending) = format.names();
    let folder = folder.join(name);
    let entries = fs::read_dir(&folder).with_context(|| format!("look into {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let is_ours = path.extension().is_some_and(|extension| extension == ending) && path.is_file();
        // File systems keep time more coarsely than the clock does.
        let since = started - Duration::from_secs(2);
        if is_ours && fs::metadata(&path)?.modified()? >= since {
            return Ok(path);
        }
    }
    bail!("no .{ending} was made in {}", folder.display())
}

/// What a program says to a question that every machine that builds can answer.
fn answer(asked: &mut Command) -> Result<String> {
    command::answer(asked).with_context(|| format!("{} failed", command::words(asked)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_package_is_not_taken_for_the_new_one() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("deb")).expect("its folder");
        let package = folder.path().join("deb/Usher_0.1.0_amd64.deb");
        fs::write(&package, "").expect("a package");
        let now = SystemTime::now();
        assert_eq!(newest(folder.path(), Format::Deb, now).expect("the package"), package);
        let later = now + Duration::from_secs(60);
        assert!(newest(folder.path(), Format::Deb, later).is_err());
    }

    #[test]
    fn an_appimage_is_made_only_where_its_tools_are() {
        if cfg!(target_os = "linux") {
            assert_eq!(usual(false), [Format::Deb, Format::Rpm]);
            assert_eq!(usual(true), [Format::Deb, Format::Rpm, Format::Appimage]);
        }
    }
}
