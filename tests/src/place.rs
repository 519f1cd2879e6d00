//! Where things lie: the built programs, the screenshots, the packages of npm.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"))
}

/// The desktop app: `USHER_APP`, else beside this test.
pub fn app() -> Result<PathBuf> {
    program("USHER_APP", "usher-desktop", "usher-desktop")
}

/// The command `usher`: `USHER_CLI`, else beside this test.
pub fn usher() -> Result<PathBuf> {
    program("USHER_CLI", "usher", "usher-cli")
}

/// The engine as the conformance suite runs it.
pub fn conformance_client() -> Result<PathBuf> {
    program("USHER_CONFORMANCE_CLIENT", "conformance-client", "usher-tests")
}

/// The program that reads a sign-in back from the keychain of the desktop that it runs on.
pub fn kept_sign_in() -> Result<PathBuf> {
    program("USHER_KEPT_SIGN_IN", "kept-sign-in", "usher-tests")
}

/// `target/screenshots`, or `USHER_SCREENSHOTS`.
pub fn screenshots() -> Result<PathBuf> {
    match std::env::var_os("USHER_SCREENSHOTS") {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => Ok(profile()?.parent().context("the target folder has no parent")?.join("screenshots")),
    }
}

/// Where packages lie, a folder for each format: `USHER_PACKAGES`, else where `cargo xtask bundle --debug` puts them.
pub fn packages() -> Result<PathBuf> {
    match std::env::var_os("USHER_PACKAGES") {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => Ok(profile()?.join("bundle")),
    }
}

/// A port that was free a moment ago, for programs that cannot choose one by themselves.
pub fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
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

/// `target/debug`: a test lies in its `deps`, a program in itself.
fn profile() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let folder = program.parent().context("this program lies nowhere")?;
    Ok(match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().unwrap_or(folder).to_owned(),
        _ => folder.to_owned(),
    })
}
