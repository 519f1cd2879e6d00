//! A TLS server in front of another server, with the certificate of a private authority.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The extensions of both certificates.
const OPENSSL_CONFIG: &str = "\
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = IP:127.0.0.1
";

/// A running server. Dropping it deletes its certificates.
pub struct TlsServer {
    port: u16,
    folder: TempDir,
}

impl TlsServer {
    /// Creates the certificates, and forwards each connection to `target` (a host and a port).
    pub async fn start(target: &str) -> Result<TlsServer> {
        let folder = tempfile::tempdir()?;
        create_certificates(folder.path())?;
        let certificate = CertificateDer::from_pem_file(folder.path().join("cert.pem"))?;
        let key = PrivateKeyDer::from_pem_file(folder.path().join("key.pem"))?;
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(accept(listener, acceptor, target.to_owned()));
        Ok(TlsServer { port, folder })
    }

    /// The address of the MCP endpoint.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}/mcp", self.port)
    }

    /// The folder of the authority's certificate, with the links by which OpenSSL finds it.
    pub fn authorities(&self) -> PathBuf {
        self.folder.path().join("authorities")
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, target: String) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, target) = (acceptor.clone(), target.clone());
        tokio::spawn(async move {
            // Many clients exit without closing their connection. A real error is an error of the client too.
            let _ = forward(stream, &acceptor, &target).await;
        });
    }
}

async fn forward(stream: TcpStream, acceptor: &TlsAcceptor, target: &str) -> Result<()> {
    // As the server itself does. Otherwise, the client would wait for delayed acknowledgements.
    stream.set_nodelay(true)?;
    let mut client = acceptor.accept(stream).await?;
    let mut server = TcpStream::connect(target).await?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

fn create_certificates(folder: &Path) -> Result<()> {
    std::fs::create_dir(folder.join("authorities"))?;
    std::fs::write(folder.join("openssl.cnf"), OPENSSL_CONFIG)?;
    let new = "req -config openssl.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1";
    let authority = "-extensions authority -keyout authority-key.pem -out authorities/authority.pem";
    let issuer = "-CA authorities/authority.pem -CAkey authority-key.pem";
    let server = "-extensions server -keyout key.pem -out cert.pem";
    openssl(folder, &format!("{new} -subj /CN=authority {authority}"))?;
    openssl(folder, &format!("{new} -subj /CN=server {issuer} {server}"))?;
    openssl(folder, "rehash authorities")
}

fn openssl(folder: &Path, arguments: &str) -> Result<()> {
    let mut openssl = Command::new("openssl");
    openssl.current_dir(folder).args(arguments.split(' ')).stderr(Stdio::null());
    let status = openssl.status().context("cannot run openssl")?;
    ensure!(status.success(), "openssl {arguments} failed ({status})");
    Ok(())
}
