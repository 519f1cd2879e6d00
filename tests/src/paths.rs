//! Paths of the built programs, the screenshots and the packages.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"))
}

/// The desktop app.
pub fn app() -> Result<PathBuf> {
    program("usher-desktop", "usher-desktop")
}

/// The command `usher`.
pub fn usher() -> Result<PathBuf> {
    program("usher", "usher-cli")
}

/// The client that the conformance suite runs.
pub fn conformance_client() -> Result<PathBuf> {
    program("conformance-client", "usher-tests")
}

/// The program that prints the refresh token in the keychain of its desktop.
pub fn stored_refresh_token() -> Result<PathBuf> {
    program("stored-refresh-token", "usher-tests")
}

/// The folder of screenshots, `target/screenshots`.
pub fn screenshots() -> Result<PathBuf> {
    Ok(profile()?.with_file_name("screenshots"))
}

/// The folder of packages, with a subfolder for each format: the output of `cargo xtask bundle --debug`.
pub fn packages() -> Result<PathBuf> {
    Ok(profile()?.join("bundle"))
}

/// A program that was built together with this one.
fn program(name: &str, package: &str) -> Result<PathBuf> {
    let path = profile()?.join(name);
    anyhow::ensure!(
        path.is_file(),
        "{} is not built; run `cargo build -p {package} --bin {name}` first",
        path.display()
    );
    Ok(path)
}

/// The profile's folder, such as `target/debug`. Test binaries are in its `deps`, programs directly in it.
fn profile() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the path of this program")?;
    // The first ancestor is the program itself.
    let folder = program.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    Ok(folder.context("this program has no parent folder")?.to_owned())
}
