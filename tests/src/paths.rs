//! Paths of the built programs, the screenshots and the packages.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"))
}

/// The desktop app: `USHER_APP`, or the build beside this test.
pub fn app() -> Result<PathBuf> {
    program("USHER_APP", "usher-desktop", "usher-desktop")
}

/// The command `usher`: `USHER_CLI`, or the build beside this test.
pub fn usher() -> Result<PathBuf> {
    program("USHER_CLI", "usher", "usher-cli")
}

/// The client that the conformance suite runs.
pub fn conformance_client() -> Result<PathBuf> {
    program("USHER_CONFORMANCE_CLIENT", "conformance-client", "usher-tests")
}

/// The program that prints the refresh token in the keychain of its desktop.
pub fn stored_refresh_token() -> Result<PathBuf> {
    program("USHER_STORED_REFRESH_TOKEN", "stored-refresh-token", "usher-tests")
}

/// The folder of screenshots: `USHER_SCREENSHOTS`, or `target/screenshots`.
pub fn screenshots() -> Result<PathBuf> {
    match std::env::var_os("USHER_SCREENSHOTS") {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => Ok(profile()?.parent().context("the target folder has no parent")?.join("screenshots")),
    }
}

/// The folder of packages, with a subfolder for each format: `USHER_PACKAGES`, or the output of
/// `cargo xtask bundle --debug`.
pub fn packages() -> Result<PathBuf> {
    match std::env::var_os("USHER_PACKAGES") {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => Ok(profile()?.join("bundle")),
    }
}

fn program(variable: &str, name: &str, package: &str) -> Result<PathBuf> {
    let path = std::env::var_os(variable).map_or_else(|| beside(name), |path: OsString| Ok(path.into()))?;
    anyhow::ensure!(
        path.is_file(),
        "{} is not built; run `cargo build -p {package} --bin {name}` first",
        path.display()
    );
    Ok(path)
}

fn beside(name: &str) -> Result<PathBuf> {
    Ok(profile()?.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// The profile's folder, such as `target/debug`. Test binaries are in its `deps`, programs directly in it.
fn profile() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the path of this program")?;
    let folder = program.parent().context("this program has no parent folder")?;
    Ok(match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().unwrap_or(folder).to_owned(),
        _ => folder.to_owned(),
    })
}
