//! A TLS server with a self-signed certificate.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::wait::until_ready;
use crate::{Process, free_port};

/// `openssl s_server` with its own certificate.
#[derive(Debug)]
pub struct SelfSignedServer {
    port: u16,
    _server: Process,
    _folder: TempDir,
}

impl SelfSignedServer {
    /// Creates the certificate and listens on loopback.
    pub async fn start() -> Result<SelfSignedServer> {
        let folder = tempfile::tempdir()?;
        let status = Command::new("openssl")
            .current_dir(folder.path())
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-days", "1", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"])
            .stderr(Stdio::null())
            .status()
            .context("cannot run openssl")?;
        anyhow::ensure!(status.success(), "openssl could not create a certificate");
        let port = free_port()?;
        let server = Process::start_silent(
            Command::new("openssl")
                .current_dir(folder.path())
                .args(["s_server", "-quiet", "-www", "-cert", "cert.pem", "-key", "key.pem"])
                .args(["-accept", &format!("127.0.0.1:{port}")]),
        )?;
        until_ready("the TLS server to listen", || {
            Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(drop))
        })
        .await?;
        Ok(SelfSignedServer { port, _server: server, _folder: folder })
    }

    /// The server's URL, with the host name of the certificate.
    pub fn url(&self) -> String {
        format!("https://localhost:{}/mcp", self.port)
    }
}
