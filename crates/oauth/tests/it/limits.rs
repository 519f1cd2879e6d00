//! The limits of documents: size, time and depth.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use usher_oauth::{
    ClientSettings, Discovered, DiscoveryRequest, Error, ErrorKind, HttpClient, Step, discover,
};

use crate::support::{Answer, Fake, discovered, exchanged, merged, short_deadlines};

const RESOURCE: &str = "GET /.well-known/oauth-protected-resource/mcp";

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

async fn discover_with_short_deadlines(fake: &Fake) -> Result<Discovered, Error> {
    let (server, settings) = (fake.server(), ClientSettings::default());
    let http = HttpClient::with_options(&server, short_deadlines()).await.unwrap();
    discover(
        &http,
        DiscoveryRequest { server: &server, challenge: None, settings: &settings, has_grant: false },
    )
    .await
}

async fn kind_for(answer: Answer) -> ErrorKind {
    let fake = Fake::start().await;
    fake.with_documents().on(RESOURCE, answer);
    let started = Instant::now();
    let error = discover_with_short_deadlines(&fake).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!((error.step, error.host.as_deref()), (Step::ResourceMetadata, Some(fake.host())));
    error.kind
}

#[tokio::test]
async fn one_mebibyte_and_not_more() {
    let fake = Fake::start().await;
    let padded = |size: usize| {
        let document = fake.resource_document().to_string();
        document.clone() + &" ".repeat(size - document.len())
    };
    fake.with_documents().on(RESOURCE, Answer::new(200, "application/json", padded(1024 * 1024)));
    discovered(&fake).await;
    let too_large = padded(1024 * 1024 + 1);
    assert_eq!(kind_for(Answer::new(200, "application/json", too_large)).await, ErrorKind::TooLarge);
    // An endless response is aborted at the limit.
    let endless = Answer::new(200, "application/json", vec![b' '; 2 * 1024 * 1024]).hanging();
    assert_eq!(kind_for(endless).await, ErrorKind::TooLarge);
}

#[tokio::test]
async fn the_limit_applies_after_decompression() {
    let fake = Fake::start().await;
    let compressed = gzipped(fake.resource_document().to_string().as_bytes());
    fake.with_documents()
        .on(RESOURCE, Answer::new(200, "application/json", compressed).with("content-encoding", "gzip"));
    discovered(&fake).await;
    let bomb = gzipped(&vec![b' '; 64 * 1024 * 1024]);
    assert!(bomb.len() < 512 * 1024);
    let bomb = Answer::new(200, "application/json", bomb).with("content-encoding", "gzip");
    assert_eq!(kind_for(bomb).await, ErrorKind::TooLarge);
    let broken = Answer::new(200, "application/json", "not gzip").with("content-encoding", "gzip");
    assert_eq!(kind_for(broken).await, ErrorKind::Malformed { what: "it cannot be decompressed".into() });
}

#[tokio::test]
async fn deep_documents_are_rejected() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{{\"resource\":{}1{}}}", open.repeat(100_000), close.repeat(100_000));
        let expected = ErrorKind::Malformed { what: "its JSON is broken or nested too deeply".into() };
        assert_eq!(kind_for(Answer::new(200, "application/json", deep)).await, expected);
    }
}

#[tokio::test]
async fn slow_responses_time_out() {
    assert_eq!(kind_for(Answer::new(200, "application/json", "{").hanging()).await, ErrorKind::Timeout);
    let redirect = Answer::redirect(302, "/.well-known/oauth-protected-resource/mcp");
    let looping = ErrorKind::BadRedirect { why: "there are too many redirects".into() };
    assert_eq!(kind_for(redirect).await, looping);
}

#[tokio::test]
async fn a_discovery_of_many_slow_steps_has_one_deadline() {
    let fake = Fake::start().await;
    let mut slow = Vec::new();
    for _ in 0..5 {
        let one = Fake::start().await;
        one.on(
            "GET /.well-known/oauth-authorization-server",
            Answer::new(200, "application/json", "{").hanging(),
        );
        slow.push(one);
    }
    let listed: Vec<&str> = slow.iter().map(|one| one.origin.as_str()).collect();
    let resource = merged(fake.resource_document(), serde_json::json!({ "authorization_servers": listed }));
    fake.on(RESOURCE, Answer::json(resource));
    let started = Instant::now();
    let error = discover_with_short_deadlines(&fake).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(4), "the deadline applies to all requests together");
}

#[tokio::test]
async fn the_size_limit_applies_to_the_token_endpoint_too() {
    let large = Answer::new(200, "application/json", vec![b' '; 1024 * 1024 + 1]);
    let fake = Fake::start().await;
    let error = exchanged(&fake, [large]).await.unwrap_err();
    assert_eq!((error.step, error.kind), (Step::TokenExchange, ErrorKind::TooLarge));
}
