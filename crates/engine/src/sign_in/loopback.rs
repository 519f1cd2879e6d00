//! A one-shot listener on 127.0.0.1. It receives the callback of one sign-in and responds with a small page.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY};
use http::{HeaderMap, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use usher_oauth::RedirectUri;

use super::callback::Callbacks;

/// A bound port on which no server is running yet.
#[derive(Debug)]
pub(crate) struct Loopback {
    listener: TcpListener,
    port: u16,
}

/// A running server. Dropping it stops the server after the current response.
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
        let router = Router::new().route("/oauth/callback", get(respond)).with_state(listener);
        tasks.spawn(async move {
            let served = axum::serve(self.listener, router).with_graceful_shutdown(stopped.cancelled_owned());
            if let Err(error) = served.await {
                tracing::warn!(%error, "the loopback listener ended");
            }
        });
        LoopbackServer { _stop: stop.drop_guard() }
    }
}

pub(crate) fn port_of(redirect: &RedirectUri) -> Option<u16> {
    url::Url::parse(redirect.as_str()).ok()?.port()
}

async fn respond(State(listener): State<Arc<Listener>>, uri: Uri, headers: HeaderMap) -> Response {
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
