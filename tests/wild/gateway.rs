//! Gateways and load balancers in front of an MCP server: rejected tokens, cookies, and slashes at the end of a path.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use axum::response::IntoResponse;
use serde_json::{Map, json};
use usher_api::Status;
use usher_engine::CallOptions;
use usher_fake_service::{FakeService, Options, Reply};

use crate::person::{Person, id, service, service_with};

/// The name of an answer, and the answer.
type Rejection = (&'static str, fn() -> Reply);

/// Answers that mean that the token is no longer accepted.
const REJECTIONS: [Rejection; 6] = [
    ("400 with the error of RFC 6750", || Reply::oauth_error(400, "invalid_token")),
    ("400 with a description", || {
        Reply::json_with(
            400,
            json!({ "error": "invalid_token", "error_description": "The token has expired" }),
        )
    }),
    ("400 with a nested code", || {
        Reply::json_with(400, json!({ "error": { "code": "invalid_token", "message": "Expired" } }))
    }),
    ("400 with a challenge", || {
        Reply::text(400, "").with("www-authenticate", "Bearer error=\"invalid_token\"")
    }),
    ("401 with single quotes", || {
        Reply::text(401, "").with("www-authenticate", "Bearer error='invalid_token'")
    }),
    ("400 with single quotes", || {
        Reply::text(400, "").with("www-authenticate", "Bearer error='invalid_token'")
    }),
];

#[tokio::test]
async fn a_rejected_token_is_refreshed_however_it_is_told() -> Result<()> {
    for (name, rejection) in REJECTIONS {
        let person = Person::new(service().await?).await?;
        person.sign_in().await?;
        person.until_connected().await?;
        let first = person.store().grant(&id().0).await?.context("no grant")?.access_token;
        let rejected = format!("Bearer {}", secrecy::ExposeSecret::expose_secret(&first));
        person.service.intercept(move |request| {
            (request.authorization() == rejected).then(|| rejection().into_response())
        });
        let called = person.engine.call_tool(&id(), "write", Map::new(), CallOptions::new("call")).await;
        called.with_context(|| name)?;
        let refreshes = person.service.requests_to("POST /token").len() - 1;
        ensure!(refreshes == 1, "{name}: {refreshes} refreshes");
        person.engine.stop().await;
    }
    Ok(())
}

/// Other errors with this status end no sign-in.
#[tokio::test]
async fn another_400_is_not_a_rejected_token() -> Result<()> {
    for body in [json!({ "error": "invalid_request" }), json!({ "message": "invalid_token" }), json!([])] {
        let person = Person::new(service().await?).await?;
        person.sign_in().await?;
        let reply = Reply::json_with(400, body);
        person.service.intercept(move |request| {
            (request.rpc_method() == "tools/call").then(|| reply.clone().into_response())
        });
        let called = person.engine.call_tool(&id(), "write", Map::new(), CallOptions::new("call")).await;
        ensure!(called.is_err() && person.service.requests_to("POST /token").len() == 1);
        let view = person.engine.server(&id()).context("no server")?;
        ensure!(matches!(view.status, Status::Connected { .. }), "{view:?}");
        person.engine.stop().await;
    }
    Ok(())
}

/// A load balancer that forgets each session whose request lacks its latest cookies.
#[tokio::test]
async fn the_cookies_of_a_load_balancer_are_sent_for_the_life_of_a_connection() -> Result<()> {
    let rows: [(&[&str], &str); 4] = [
        (
            &["AWSALB=node-1; Path=/; Max-Age=600", "AWSALBCORS=node-1; Path=/; SameSite=None"],
            "AWSALB=node-1; AWSALBCORS=node-1",
        ),
        (&["sticky=a%20b; HttpOnly"], "sticky=a%20b"),
        (&["sticky=\"q\"; Path=/mcp"], "sticky=\"q\""),
        (&["route=1; Path=/", "route=2; Path=/"], "route=2"),
    ];
    for (set, expected) in rows {
        let service = service_with(Options::open_handshake()).await?;
        service.intercept(move |request| {
            if request.path != "/mcp" {
                return None;
            }
            let is_first = matches!(request.rpc_method().as_str(), "server/discover" | "initialize");
            let cookie =
                request.headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
            if is_first {
                let body = match request.rpc_method().as_str() {
                    "initialize" => json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": {
                        "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
                        "serverInfo": { "name": "balanced", "version": "1" },
                    } }),
                    _ => return Some(Reply::text(404, "").into_response()),
                };
                let reply = Reply::json(body).with("mcp-session-id", "session-1");
                return Some(
                    set.iter().fold(reply, |reply, cookie| reply.with("set-cookie", cookie)).into_response(),
                );
            }
            (cookie != expected).then(|| Reply::text(502, "no such node").into_response())
        });
        let person = Person::new(service).await?;
        person.until_connected().await.with_context(|| expected)?;

        // A new connection begins without cookies.
        person.service.forget_requests();
        person.reconnect().await?;
        let posted = |request: &usher_fake_service::Request| request.line == "POST /mcp";
        let first = person.service.requests().into_iter().find(posted);
        ensure!(first.context("no request")?.headers.get("cookie").is_none(), "the cookies were kept");
        person.engine.stop().await;
    }
    Ok(())
}

/// A redirect that only adds or removes a slash at the end of the path.
#[tokio::test]
async fn a_redirect_to_the_same_address_with_or_without_a_slash_is_followed() -> Result<()> {
    for (status, from, to) in [
        (301, "/mcp", "/mcp/"),
        (302, "/mcp", "/mcp/"),
        (307, "/mcp", "/mcp/"),
        (308, "/mcp", "/mcp/"),
        (301, "/mcp/", "/mcp"),
        (302, "/mcp/", "/mcp"),
        (308, "/mcp/", "/mcp"),
    ] {
        let (person, redirects) = behind_redirect(status, from, move |_| to.to_owned(), to).await?;
        person.until_connected().await.with_context(|| format!("{status} from {from}"))?;
        let called = person.engine.call_tool(&id(), "write", Map::new(), CallOptions::new("call")).await;
        called.with_context(|| format!("{status} from {from}"))?;
        if status < 303 {
            let redirects = redirects.load(Ordering::SeqCst);
            ensure!(redirects == 1, "{status} from {from}: the address is asked {redirects} times");
        }
        person.engine.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn other_redirects_of_a_post_are_not_followed() -> Result<()> {
    let targets: [fn(&FakeService) -> String; 6] = [
        |_| "/other".to_owned(),
        |_| "/mcp//".to_owned(),
        |_| "/mcp/?a=b".to_owned(),
        |_| "/MCP/".to_owned(),
        |service| service.at("/mcp/").replace("127.0.0.1", "localhost"),
        |_| "/mcp".to_owned(),
    ];
    for target in targets {
        for status in [301, 302, 303] {
            let (person, _) = behind_redirect(status, "/mcp", target, "").await?;
            let view = person.until(|view| matches!(view.status, Status::Failed { .. })).await?;
            ensure!(view.last_error.is_some_and(|error| error.message.contains("redirect")));
            person.engine.stop().await;
        }
    }
    let (person, _) = behind_redirect(303, "/mcp", |_| "/mcp/".to_owned(), "/mcp/").await?;
    person.until(|view| matches!(view.status, Status::Failed { .. })).await?;
    person.engine.stop().await;
    Ok(())
}

/// Starts an engine whose entry has the path `from`. The service redirects that path, and answers at `served`.
async fn behind_redirect(
    status: u16,
    from: &'static str,
    target: impl Fn(&FakeService) -> String,
    served: &'static str,
) -> Result<(Person, Arc<AtomicUsize>)> {
    let service = service_with(Options::open_handshake()).await?;
    let target = target(&service);
    let redirects = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&redirects);
    service.intercept(move |request| {
        if request.path == from {
            counter.fetch_add(1, Ordering::SeqCst);
            return Some(Reply::redirect(status, &target).into_response());
        }
        (request.path != served && request.path.starts_with("/mcp"))
            .then(|| Reply::text(404, "").into_response())
    });
    let entry = json!({ "type": "http", "url": service.at(from) });
    Ok((Person::with_entry(service, entry).await?, redirects))
}
