//! A listener on 127.0.0.1 for one sign-in: takes the browser's return, answers a small page, closes.

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
use usher_oauth::RedirectUri;

use crate::shared::Shared;

/// A bound port that nobody is served at yet.
#[derive(Debug)]
pub(crate) struct Loopback {
    listener: TcpListener,
    port: u16,
}

/// Ends the listener when dropped; an answer under way is still finished.
#[derive(Debug)]
pub(crate) struct Listening {
    _stop: DropGuard,
}

struct Callback {
    shared: Arc<Shared>,
    port: u16,
}

impl Loopback {
    /// Binds the port of a kept registration where it is free, so that the registration still fits; else any.
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

    /// Serves the callback until the handle is dropped.
    pub fn listen(self, shared: Arc<Shared>) -> Listening {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let callback = Arc::new(Callback { shared: Arc::clone(&shared), port: self.port });
        let router = Router::new().route("/oauth/callback", get(answer)).with_state(callback);
        shared.tasks.spawn(async move {
            let served = axum::serve(self.listener, router).with_graceful_shutdown(stopped.cancelled_owned());
            if let Err(error) = served.await {
                tracing::warn!(%error, "the loopback listener ended");
            }
        });
        Listening { _stop: stop.drop_guard() }
    }
}

/// The port of a loopback redirect.
pub(crate) fn port_of(redirect: &RedirectUri) -> Option<u16> {
    url::Url::parse(redirect.as_str()).ok()?.port()
}

async fn answer(State(callback): State<Arc<Callback>>, uri: Uri, headers: HeaderMap) -> Response {
    // Another name for this address means that a page of somebody else's sent the browser here (DNS rebinding).
    let authority = format!("127.0.0.1:{}", callback.port);
    if headers.get(HOST).and_then(|host| host.to_str().ok()) != Some(authority.as_str()) {
        return page(StatusCode::BAD_REQUEST, "This is not the address of a sign-in.", "");
    }
    let raw = format!("http://{authority}{uri}");
    match callback.shared.complete(&raw).await {
        Ok(_) => page(StatusCode::OK, "You are signed in.", "You can close this page and go back to Usher."),
        Err(error) => {
            page(StatusCode::BAD_REQUEST, &error.message, "Go back to Usher; it says what to do next.")
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
