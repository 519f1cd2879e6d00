//! A TLS server whose certificate nobody signed.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::wait::{PATIENCE, until_ready};
use crate::{Process, place};

/// `openssl s_server` with a certificate it made itself.
#[derive(Debug)]
pub struct SelfSigned {
    port: u16,
    _server: Process,
    _folder: TempDir,
}

impl SelfSigned {
    /// Makes the certificate and listens on loopback.
    pub async fn start() -> Result<SelfSigned> {
        let folder = tempfile::tempdir()?;
        let made = Command::new("openssl")
            .current_dir(folder.path())
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-days", "1", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"])
            .stderr(Stdio::null())
            .status()
            .context("cannot run openssl")?;
        anyhow::ensure!(made.success(), "openssl made no certificate");
        let port = place::free_port()?;
        let server = Process::start(
            Command::new("openssl")
                .current_dir(folder.path())
                .args(["s_server", "-quiet", "-www", "-cert", "cert.pem", "-key", "key.pem"])
                .args(["-accept", &format!("127.0.0.1:{port}")])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        until_ready("the TLS server to listen", PATIENCE, || {
            Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(drop))
        })
        .await?;
        Ok(SelfSigned { port, _server: server, _folder: folder })
    }

    /// Its address, with the name that the certificate has.
    pub fn url(&self) -> String {
        format!("https://localhost:{}/mcp", self.port)
    }
}
