//! A one-shot listener on 127.0.0.1. It receives the callback of one sign-in and responds with a small page.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::response::{Html, IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY};
use http::{HeaderMap, Method, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use usher_oauth::RedirectUri;

use super::callback::Callbacks;

/// How long a client may take to send its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause after a connection could not be accepted.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// A bound port on which no server is running yet.
#[derive(Debug)]
pub(crate) struct Loopback {
    listener: TcpListener,
    port: u16,
}

/// A port on which nothing listens, for a callback that the person copies from the browser's address bar. No other
/// program can use the port until this value is dropped.
#[derive(Debug)]
pub(crate) struct ReservedPort {
    _socket: TcpSocket,
    port: u16,
}

/// A running server. Dropping it stops the server after the current response, and closes the connections that have sent
/// no complete request.
#[derive(Debug)]
pub(crate) struct LoopbackServer {
    _stop: DropGuard,
}

struct Listener {
    callbacks: Arc<Callbacks>,
    port: u16,
}

impl Loopback {
    /// Binds the preferred port (that of the stored registration), or any port if the preferred one is in use.
    pub async fn bind(preferred: Option<u16>) -> std::io::Result<Self> {
        if let Some(port) = preferred
            && let Ok(loopback) = Self::bind_port(port).await
        {
            return Ok(loopback);
        }
        Self::bind_port(0).await
    }

    async fn bind_port(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    pub fn redirect(&self) -> RedirectUri {
        RedirectUri::loopback(self.port)
    }

    /// Starts a server for the callback. It runs until the returned value is dropped.
    pub fn listen(self, callbacks: Arc<Callbacks>, tasks: &TaskTracker) -> LoopbackServer {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let listener = Arc::new(Listener { callbacks, port: self.port });
        tasks.spawn(serve(self.listener, listener, stopped));
        LoopbackServer { _stop: stop.drop_guard() }
    }
}

impl ReservedPort {
    /// Reserves the preferred port, or any port if the preferred one is in use.
    pub fn bind(preferred: Option<u16>) -> std::io::Result<Self> {
        match preferred.map(Self::bind_port) {
            Some(Ok(reserved)) => Ok(reserved),
            Some(Err(_)) | None => Self::bind_port(0),
        }
    }

    fn bind_port(port: u16) -> std::io::Result<Self> {
        // Without `listen`, the system refuses connections. Without `SO_REUSEADDR`, no other program can bind the port.
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let port = socket.local_addr()?.port();
        Ok(Self { _socket: socket, port })
    }

    pub fn redirect(&self) -> RedirectUri {
        RedirectUri::loopback(self.port)
    }
}

async fn serve(socket: TcpListener, listener: Arc<Listener>, stopped: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(answer(stream, Arc::clone(&listener), stopped.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "the loopback listener could not accept a connection");
                    // Most likely no file descriptors are left, so an immediate retry would spin.
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            },
        }
    }
    drop(socket);
    while connections.join_next().await.is_some() {}
}

/// Serves one request. After `stopped`, only a request that has arrived is still answered.
async fn answer(stream: TcpStream, listener: Arc<Listener>, stopped: CancellationToken) {
    let has_request = Arc::new(AtomicBool::new(false));
    let arrived = Arc::clone(&has_request);
    let service = service_fn(move |request: http::Request<Incoming>| {
        arrived.store(true, Ordering::Relaxed);
        let listener = Arc::clone(&listener);
        async move {
            let (head, _) = request.into_parts();
            let is_callback = head.method == Method::GET && head.uri.path() == "/oauth/callback";
            Ok::<_, Infallible>(if is_callback {
                respond(&listener, &head.uri, &head.headers).await
            } else {
                StatusCode::NOT_FOUND.into_response()
            })
        }
    });
    let mut http = http1::Builder::new();
    http.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(REQUEST_TIMEOUT);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let served = tokio::select! {
        served = &mut connection => served,
        () = stopped.cancelled() => {
            if !has_request.load(Ordering::Relaxed) {
                return;
            }
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the loopback listener failed");
    }
}

pub(crate) fn port_of(redirect: &RedirectUri) -> Option<u16> {
    url::Url::parse(redirect.as_str()).ok()?.port()
}

async fn respond(listener: &Listener, uri: &Uri, headers: &HeaderMap) -> Response {
    // Another host name means that another website sent the request (DNS rebinding).
    let authority = format!("127.0.0.1:{}", listener.port);
    if headers.get(HOST).and_then(|host| host.to_str().ok()) != Some(authority.as_str()) {
        return page(StatusCode::BAD_REQUEST, "This is not the address of a sign-in.", "");
    }
    let raw = format!("http://{authority}{uri}");
    match listener.callbacks.complete(&raw).await {
        Ok(_) => page(StatusCode::OK, "You are signed in.", "You can close this page and return to Usher."),
        Err(error) => {
            page(StatusCode::BAD_REQUEST, &error.message, "Return to Usher to see what to do next.")
        }
    }
}

fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Usher</title>\
         <body style=\"font: 1.1rem system-ui; max-width: 36rem; margin: 15vh auto; padding: 0 1rem\">\
         <h1 style=\"font-size: 1.4rem\">{}</h1><p>{}</p>",
        escaped(title),
        escaped(text)
    );
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    (status, headers, Html(html)).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn a_reserved_port_refuses_connections_and_belongs_to_no_other_program() {
        let reserved = ReservedPort::bind(None).expect("reserve a port");
        let address = (Ipv4Addr::LOCALHOST, reserved.port);
        let refused = TcpStream::connect(address).expect_err("nothing listens");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        for taken in [TcpListener::bind(address), TcpListener::bind((Ipv4Addr::UNSPECIFIED, reserved.port))] {
            assert_eq!(taken.expect_err("the port is reserved").kind(), ErrorKind::AddrInUse);
        }
        assert!(Loopback::bind_port(reserved.port).await.is_err());
        let port = reserved.port;
        drop(reserved);
        let again = ReservedPort::bind(Some(port)).expect("reserve the port again");
        assert_eq!(again.redirect(), RedirectUri::loopback(port));
        let other = ReservedPort::bind(Some(port)).expect("reserve another port");
        assert_ne!(other.port, port);
    }
}
