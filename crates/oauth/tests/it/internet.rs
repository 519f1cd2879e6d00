//! A fake internet: DNS records, a public server with a certificate, and a listener that counts connections.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;
use usher_oauth::{Deadlines, HttpClient, HttpOptions};

use crate::support::Fake;

/// A public address that is reserved for documentation (RFC 5737).
pub const PUBLIC: &str = "203.0.113.10";

/// A resolver with successive answers for each name. The last answer is repeated.
#[derive(Default)]
pub struct Names(Mutex<Vec<(&'static str, Answers)>>);

type Answers = Vec<Vec<&'static str>>;

/// Names with their successive answers. An answer is a list of addresses.
pub type Records<'a> = &'a [(&'static str, &'a [&'a [&'static str]])];

impl Names {
    pub fn new(names: Records) -> Arc<Self> {
        let names =
            names.iter().map(|(name, answers)| (*name, answers.iter().map(|all| all.to_vec()).collect()));
        Arc::new(Names(Mutex::new(names.collect())))
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let mut names = self.0.lock().unwrap();
        let known = names.iter_mut().find(|(known, _)| *known == name.as_str());
        let addresses =
            known.map(|(_, answers)| if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() });
        Box::pin(async move {
            let addresses = addresses.ok_or("no such name")?;
            let parsed: Vec<SocketAddr> =
                addresses.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect();
            Ok(Box::new(parsed.into_iter()) as Addrs)
        })
    }
}

/// A listener that counts connections.
pub struct Canary {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Canary {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Canary { address, connections }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Starts `https://mcp.public.example`. Returns the fake and the loopback address of its listener. Clients with
/// [`options`] see the server at [`PUBLIC`].
pub async fn public_server() -> (Fake, SocketAddr) {
    let (certificate, key) =
        (include_bytes!("fixtures/server.pem"), include_bytes!("fixtures/server-key.pem"));
    let certificate = CertificateDer::from_pem_slice(certificate).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (fake, router) = Fake::without_listener("https://mcp.public.example");
    tokio::spawn(axum::serve(Tls { listener, acceptor }, router).into_future());
    (fake, address)
}

pub fn options(names: Arc<Names>, public: SocketAddr) -> HttpOptions {
    let authority = CertificateDer::from_pem_slice(include_bytes!("fixtures/authority.pem")).unwrap();
    HttpOptions {
        deadlines: Deadlines::default(),
        resolver: Some(names),
        proxy: None,
        connect_to: vec![(PUBLIC.parse::<IpAddr>().unwrap(), public)],
        authorities: vec![authority],
    }
}

/// Creates a client for [`public_server`], with these DNS records.
pub async fn client(fake: &Fake, public: SocketAddr, names: Records<'_>) -> HttpClient {
    HttpClient::with_options(&fake.server(), options(Names::new(names), public)).await.unwrap()
}
