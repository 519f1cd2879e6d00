//! The limits of responses: size, time, depth and redirects.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use usher_oauth::{Discovered, Error, ErrorKind, HttpClient, HttpOptions, Step};

use crate::support::*;

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

async fn discover_with(options: HttpOptions, fake: &Fake) -> Result<Discovered, Error> {
    let http = HttpClient::with_options(&fake.server(), options).await.unwrap();
    discover_with_client(&http, &fake.server(), None).await
}

async fn error_for(response: Response) -> ErrorKind {
    let fake = Fake::start_with_response(RESOURCE, response).await;
    let mut options = short_deadlines();
    // The deadline of one request must end it, not the deadline of the whole discovery.
    options.deadlines.discovery = Duration::from_secs(60);
    let started = Instant::now();
    let error = discover_with(options, &fake).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!((error.step, error.host.as_deref()), (Step::ResourceMetadata, Some(fake.host())));
    error.kind
}

#[tokio::test]
async fn a_response_has_at_most_one_mebibyte() {
    let fake = Fake::start().await;
    let padded = |size: usize| {
        let document = fake.resource_document().to_string();
        document.clone() + &" ".repeat(size - document.len())
    };
    fake.serve_metadata().on(RESOURCE, Response::new(200, "application/json", padded(1024 * 1024)));
    discovered(&fake).await;
    let too_large = padded(1024 * 1024 + 1);
    assert_eq!(error_for(Response::new(200, "application/json", too_large)).await, ErrorKind::TooLarge);
    // An endless response is aborted at the limit.
    let endless = Response::new(200, "application/json", vec![b' '; 2 * 1024 * 1024]).hanging();
    assert_eq!(error_for(endless).await, ErrorKind::TooLarge);
}

#[tokio::test]
async fn the_limit_applies_after_decompression() {
    let compressed_json =
        |body: Vec<u8>| Response::new(200, "application/json", body).with("content-encoding", "gzip");
    let fake = Fake::start_with_metadata().await;
    fake.on(RESOURCE, compressed_json(gzipped(fake.resource_document().to_string().as_bytes())));
    discovered(&fake).await;
    let bomb = gzipped(&vec![b' '; 64 * 1024 * 1024]);
    assert!(bomb.len() < 512 * 1024);
    assert_eq!(error_for(compressed_json(bomb)).await, ErrorKind::TooLarge);
    let broken = compressed_json(b"not gzip".to_vec());
    assert_eq!(error_for(broken).await, ErrorKind::Malformed { what: "it cannot be decompressed".into() });
}

#[tokio::test]
async fn deeply_nested_documents_are_rejected() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{{\"resource\":{}1{}}}", open.repeat(100_000), close.repeat(100_000));
        let expected = ErrorKind::Malformed { what: "its JSON is broken or nested too deeply".into() };
        assert_eq!(error_for(Response::new(200, "application/json", deep)).await, expected);
    }
}

#[tokio::test]
async fn slow_responses_time_out_and_redirect_loops_fail() {
    assert_eq!(error_for(Response::new(200, "application/json", "{").hanging()).await, ErrorKind::Timeout);
    let redirect = Response::redirect(302, "/.well-known/oauth-protected-resource/mcp");
    let looping = ErrorKind::BadRedirect { why: "there are too many redirects".into() };
    assert_eq!(error_for(redirect).await, looping);
}

#[tokio::test]
async fn all_steps_of_a_discovery_share_one_deadline() {
    let fake = Fake::start().await;
    let mut slow = Vec::new();
    for _ in 0..5 {
        let one = Fake::start().await;
        one.on(METADATA, Response::new(200, "application/json", "{").hanging());
        slow.push(one);
    }
    let listed: Vec<&str> = slow.iter().map(|one| one.origin.as_str()).collect();
    fake.serve_changed_resource_metadata(serde_json::json!({ "authorization_servers": listed }));
    let started = Instant::now();
    let error = discover_with(short_deadlines(), &fake).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(4), "the deadline applies to all requests together");
}

#[tokio::test]
async fn the_size_limit_applies_to_the_token_endpoint_too() {
    let large = Response::new(200, "application/json", vec![b' '; 1024 * 1024 + 1]);
    let fake = Fake::start().await;
    let error = exchanged(&fake, [large]).await.unwrap_err();
    assert_eq!((error.step, error.kind), (Step::TokenExchange, ErrorKind::TooLarge));
}
