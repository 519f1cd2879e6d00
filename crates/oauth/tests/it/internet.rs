//! A fake internet: names, a public server with a certificate, and a listener that must not be contacted.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::{TcpListener, TcpStream};
use tokio_native_tls::{TlsAcceptor, TlsStream, native_tls};
use usher_oauth::{Deadlines, HttpOptions};

use crate::support::Fake;

/// A public address that is reserved for documentation (RFC 5737).
pub const PUBLIC: &str = "203.0.113.10";

/// Names with successive lookup results. The last one is repeated.
#[derive(Default)]
pub struct Names(Mutex<Vec<(&'static str, Answers)>>);

type Answers = Vec<Vec<&'static str>>;

impl Names {
    pub fn new(names: &[(&'static str, &[&[&'static str]])]) -> Arc<Self> {
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
    heard: Arc<AtomicUsize>,
}

impl Canary {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, heard) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&heard);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Canary { address, heard }
    }

    pub fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
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

/// `https://mcp.public.example`, which appears to be at [`PUBLIC`], and the loopback address of its listener.
pub async fn public() -> (Fake, SocketAddr) {
    let (certificate, key) =
        (include_bytes!("fixtures/server.pem"), include_bytes!("fixtures/server-key.pem"));
    let identity = native_tls::Identity::from_pkcs8(certificate, key).unwrap();
    let acceptor = native_tls::TlsAcceptor::new(identity).unwrap().into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (fake, router) = Fake::behind("https://mcp.public.example");
    tokio::spawn(axum::serve(Tls { listener, acceptor }, router).into_future());
    (fake, address)
}

pub fn options(names: Arc<Names>, public: SocketAddr) -> HttpOptions {
    let authority = reqwest::Certificate::from_pem(include_bytes!("fixtures/authority.pem")).unwrap();
    HttpOptions {
        deadlines: Deadlines::default(),
        resolver: Some(names),
        proxy: None,
        connect_to: vec![(PUBLIC.parse::<IpAddr>().unwrap(), public)],
        authorities: vec![authority],
    }
}
