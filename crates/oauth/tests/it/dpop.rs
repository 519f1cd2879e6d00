//! Tokens that are bound to a key (RFC 9449): when Usher asks for them, and the proofs at the token endpoint.

use axum::http::HeaderMap;
use axum::response::IntoResponse;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use usher_fake_service::Request;
use usher_oauth::{
    ClientSettings, Error, ErrorKind, Flow, Grant, HttpClient, Scopes, ServerUrl, Step, exchange, refresh,
    request_unattended,
};

use crate::support::*;

const DPOP: &str = "DPoP";

fn decode(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The header and the claims of a proof.
fn proof(headers: &HeaderMap) -> Option<(Value, Value)> {
    let mut parts = headers.get("dpop")?.to_str().unwrap().split('.');
    Some((decode(parts.next().unwrap()), decode(parts.next().unwrap())))
}

fn proofs(requests: &[Request]) -> Vec<(Value, Value)> {
    requests.iter().map(|request| proof(&request.headers).expect("a proof")).collect()
}

fn nonces(requests: &[Request]) -> Vec<Value> {
    proofs(requests).into_iter().map(|(_, claims)| claims["nonce"].clone()).collect()
}

fn tokens(token_type: &str) -> Response {
    let body = json!({ "access_token": "t", "refresh_token": "r", "token_type": token_type });
    Response::json(body)
}

fn nonce_required(nonce: &str) -> Response {
    Response::oauth_error(400, "use_dpop_nonce").with("dpop-nonce", nonce)
}

/// Signs in after this challenge. The client has its own nonces, like that of a server.
async fn signed_in(
    fake: &Fake,
    header: &str,
    responses: impl IntoIterator<Item = Response>,
) -> (HttpClient, Result<Grant, Error>) {
    fake.on(REGISTER, created(json!({ "client_id": "app" }))).on_each(TOKEN, responses);
    let (settings, challenge) = (ClientSettings::default(), challenge(header));
    let found = discover_with(fake, Some(&challenge), &settings).await.unwrap();
    let registered = register_at(fake, found, &settings, None).await;
    let code = accepted(registered.authorize(&Scopes::default(), now()).unwrap());
    let http = HttpClient::for_server(&fake.server()).await.unwrap();
    let grant = exchange(&http, code, now()).await;
    (http, grant)
}

#[tokio::test]
async fn tokens_are_bound_if_the_server_asks_for_it_and_the_algorithm_is_supported() {
    let required = || json!({ "dpop_bound_access_tokens_required": true });
    let listed = |algorithm: &str| json!({ "dpop_signing_alg_values_supported": [algorithm] });
    let table = [
        ("Bearer", json!({}), json!({}), false),
        ("DPoP", json!({}), json!({}), true),
        ("DPoP", json!({}), listed("ES256"), true),
        ("Bearer, DPoP algs=\"ES256\"", json!({}), listed("ES256"), true),
        ("Bearer", required(), json!({}), true),
        ("Bearer", required(), listed("ES256"), true),
        // Another server with the same authorization server may accept only bearer tokens.
        ("Bearer", json!({}), listed("ES256"), false),
        ("Bearer", json!({ "dpop_bound_access_tokens_required": false }), listed("ES256"), false),
        ("Bearer, DPoP algs=\"PS256\"", json!({}), listed("ES256"), false),
        ("DPoP", required(), listed("PS256"), false),
    ];
    for (header, resource, server, expected) in table {
        let fake = Fake::start_with_changed_metadata(server.clone()).await;
        fake.serve_changed_resource_metadata(resource.clone());
        let (_, grant) = signed_in(&fake, header, [tokens(if expected { DPOP } else { "Bearer" })]).await;
        let request = &fake.requests_to(TOKEN)[0];
        assert_eq!(proof(&request.headers).is_some(), expected, "{header} {resource} {server}");
        let grant = grant.unwrap();
        assert_eq!((grant.dpop.is_some(), grant.binding.sends_proof), (expected, expected));
    }
}

#[tokio::test]
async fn a_refusal_of_scopes_never_takes_the_key_from_the_tokens() {
    let table = [
        ("DPoP", "Bearer error=\"insufficient_scope\", scope=\"more\"", true),
        ("DPoP", "DPoP error=\"insufficient_scope\"", true),
        ("Bearer", "DPoP error=\"insufficient_scope\"", true),
        ("Bearer", "Bearer error=\"insufficient_scope\"", false),
        // A refusal of the token names the schemes that the server accepts now.
        ("DPoP", "Bearer error=\"invalid_token\"", false),
    ];
    for (first, later, expected) in table {
        let fake = Fake::start_with_metadata().await;
        fake.on(REGISTER, created(json!({ "client_id": "app" }))).on(TOKEN, tokens(DPOP));
        let settings = ClientSettings::default();
        let found = discover_with(&fake, Some(&challenge(first)), &settings).await.unwrap();
        let found = found.with_challenge(Some(&challenge(later)), &settings);
        let registered = register_at(&fake, found, &settings, None).await;
        let code = accepted(registered.authorize(&Scopes::default(), now()).unwrap());
        exchange(&http_for(&fake).await, code, now()).await.ok();
        let proven = proof(&fake.requests_to(TOKEN)[0].headers).is_some();
        assert_eq!(proven, expected, "{first}, {later}");
    }
}

#[tokio::test]
async fn the_proof_names_the_token_endpoint_and_contains_only_a_public_key() {
    let token_endpoint = |fake: &Fake| json!({ "token_endpoint": fake.at("/token?tenant=1") });
    let fake = Fake::start_with_metadata().await;
    fake.serve_changed_metadata(token_endpoint(&fake));
    fake.on("POST /token?tenant=1", tokens(DPOP));
    let (_, grant) = signed_in(&fake, DPOP, []).await;
    let requests = fake.requests_to("POST /token?tenant=1");
    let (header, mut claims) = proofs(&requests).remove(0);
    assert!(claims["jti"].take().is_string());
    let expected = json!({ "jti": null, "htm": "POST", "htu": fake.at("/token"), "iat": now().as_second() });
    assert_eq!(claims, expected);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("dpop+jwt"), &json!("ES256")));
    assert_eq!(header["jwk"]["d"], Value::Null);
    assert!(grant.unwrap().access_key().is_some());
}

#[tokio::test]
async fn a_token_request_is_repeated_once_with_the_nonce_of_the_response() {
    let fake = Fake::start_with_metadata().await;
    let (http, grant) = signed_in(
        &fake,
        DPOP,
        [nonce_required("n-1"), tokens(DPOP).with("dpop-nonce", "n-2"), nonce_required("n-3"), tokens(DPOP)],
    )
    .await;
    // The nonce of a success counts too.
    let refreshed = refresh(&http, &grant.unwrap(), None, now()).await.unwrap();
    assert!(refreshed.access_key().is_some());
    let requests = fake.requests_to(TOKEN);
    assert_eq!(nonces(&requests), [Value::Null, json!("n-1"), json!("n-2"), json!("n-3")]);
    let proofs = proofs(&requests);
    for (index, (header, claims)) in proofs.iter().enumerate() {
        assert_eq!(header, &proofs[0].0, "one key for the whole grant");
        assert!(proofs[..index].iter().all(|(_, earlier)| earlier["jti"] != claims["jti"]), "a used proof");
    }
    assert_eq!(requests[1].form()["code"], "the-code");
    assert_eq!(requests[3].form()["refresh_token"], "r");
}

#[tokio::test]
async fn an_authorization_server_that_refuses_its_own_nonce_gets_no_third_request() {
    for second in ["n-2", "n-1"] {
        let fake = Fake::start_with_metadata().await;
        let (_, grant) = signed_in(&fake, DPOP, [nonce_required("n-1"), nonce_required(second)]).await;
        let error = grant.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NonceRefused);
        assert!(error.is_transient() && !error.is_terminal_for_grant() && !error.is_refresh_rejected());
        assert_eq!(fake.requests_to(TOKEN).len(), 2, "{second}");
    }
    let fake = Fake::start_with_metadata().await;
    let without_nonce = Response::oauth_error(400, "use_dpop_nonce");
    signed_in(&fake, DPOP, [without_nonce]).await.1.unwrap_err();
    assert_eq!(fake.requests_to(TOKEN).len(), 1);
}

#[tokio::test]
async fn a_bearer_token_is_used_without_proofs_but_its_refresh_token_may_be_bound() {
    let fake = Fake::start_with_metadata().await;
    let (http, grant) = signed_in(&fake, DPOP, [tokens("Bearer")]).await;
    let grant = grant.unwrap();
    assert!(grant.access_key().is_none() && grant.dpop.is_some());
    refresh(&http, &grant, None, now()).await.unwrap();
    let proofs = proofs(&fake.requests_to(TOKEN));
    assert_eq!(proofs[0].0, proofs[1].0, "the same key");

    let fake = Fake::start_with_metadata().await;
    let (_, grant) = signed_in(&fake, DPOP, [Response::json(json!({ "access_token": "t" }))]).await;
    assert!(grant.unwrap().dpop.is_none(), "the key binds nothing");
}

#[tokio::test]
async fn the_type_of_a_refreshed_token_counts() {
    let fake = Fake::start_with_metadata().await;
    let (http, grant) = signed_in(&fake, DPOP, [tokens(DPOP), tokens("Bearer"), tokens("dpop")]).await;
    let bearer = refresh(&http, &grant.unwrap(), None, now()).await.unwrap();
    assert!(bearer.access_key().is_none());
    let bound = refresh(&http, &bearer, None, now()).await.unwrap();
    assert!(bound.access_key().is_some());
}

#[tokio::test]
async fn a_proof_is_sent_if_only_the_authorization_server_requires_it() {
    for refusal in ["invalid_dpop_proof", "use_dpop_nonce"] {
        let fake = Fake::start_with_metadata().await;
        let refused = Response::oauth_error(400, refusal).with("dpop-nonce", "n-1");
        let (_, grant) = signed_in(&fake, "Bearer", [refused, nonce_required("n-2"), tokens(DPOP)]).await;
        assert!(grant.unwrap().access_key().is_some());
        let requests = fake.requests_to(TOKEN);
        assert!(proof(&requests[0].headers).is_none(), "{refusal}");
        assert_eq!(nonces(&requests[1..]), [Value::Null, json!("n-2")], "{refusal}");
    }
}

#[tokio::test]
async fn a_refresh_token_of_an_unusable_response_is_bound_to_the_key_that_was_proved() {
    let fake = Fake::start_with_metadata().await;
    let unusable = json!({ "access_token": "t", "refresh_token": "next", "token_type": "mac" });
    let responses = [
        tokens("Bearer"),
        nonce_required("n-1"),
        Response::json(unusable),
        nonce_required("n-2"),
        tokens(DPOP),
    ];
    let (http, grant) = signed_in(&fake, "Bearer", responses).await;
    let old = grant.unwrap();
    let failed = refresh(&http, &old, None, now()).await.unwrap_err();
    let rotated = failed.rotated.expect("the new refresh token");
    assert!(rotated.dpop.is_some() && rotated.access_key().is_none(), "the old access token is not bound");
    assert_eq!(rotated.access_token.expose(), old.access_token.expose());
    assert!(refresh(&http, &rotated, None, now()).await.unwrap().access_key().is_some());
    let requests = fake.requests_to(TOKEN);
    assert!(
        requests[..2].iter().all(|request| proof(&request.headers).is_none()),
        "a request had a proof before the server asked for one"
    );
    // Each later request, also the first of the next refresh, has a proof of the same key.
    let proofs = proofs(&requests[2..]);
    assert_eq!(proofs.len(), 3);
    assert!(proofs.iter().all(|(header, _)| *header == proofs[0].0), "one key");
    assert_eq!(requests[3].form()["refresh_token"], "next");
}

#[tokio::test]
async fn an_invalid_proof_is_repeated_once_with_the_time_of_the_server() {
    let rejected = || Response::oauth_error(400, "invalid_dpop_proof");
    let fake = Fake::start_with_metadata().await;
    let late = rejected().with("date", "Sat, 21 Nov 2026 12:00:00 GMT");
    let (_, grant) = signed_in(&fake, DPOP, [late, tokens(DPOP)]).await;
    grant.unwrap();
    let proofs = proofs(&fake.requests_to(TOKEN));
    assert_eq!(proofs[1].1["iat"], now_plus(2 * 60 * 60).as_second());

    let fake = Fake::start_with_metadata().await;
    let same = || rejected().with("date", "Sat, 21 Nov 2026 10:00:30 GMT");
    let error = signed_in(&fake, DPOP, [same()]).await.1.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ProofRefused { description: None });
    assert_eq!(fake.requests_to(TOKEN).len(), 1);
}

#[tokio::test]
async fn a_redirect_within_the_origin_gets_a_proof_of_its_own_and_another_origin_none() {
    let fake = Fake::start_with_metadata().await;
    fake.on("POST /token/", tokens(DPOP));
    signed_in(&fake, DPOP, [Response::redirect(307, "/token/")]).await.1.unwrap();
    let (_, first) = proofs(&fake.requests_to(TOKEN)).remove(0);
    let (_, second) = proofs(&fake.requests_to("POST /token/")).remove(0);
    assert_eq!((&first["htu"], &second["htu"]), (&json!(fake.at("/token")), &json!(fake.at("/token/"))));
    assert_ne!(first["jti"], second["jti"]);

    let (fake, other) = (Fake::start_with_metadata().await, Fake::start().await);
    other.on(TOKEN, tokens(DPOP));
    let elsewhere = Response::redirect(307, &other.at("/token")).with("dpop-nonce", "n-1");
    signed_in(&fake, DPOP, [elsewhere]).await.1.unwrap_err();
    assert_eq!(other.request_lines(), [""; 0]);
}

#[tokio::test]
async fn the_proof_is_removed_from_a_description_that_repeats_it() {
    let fake = Fake::start_with_metadata().await;
    fake.intercept(move |request| {
        let proof = request.headers.get("dpop")?.to_str().ok()?;
        let body = json!({ "error": "server_says", "error_description": format!("bad {proof}") });
        Some(Response::json_with(400, body).into_response())
    });
    fake.on(REGISTER, created(json!({ "client_id": "app" })));
    let (settings, challenge) = (ClientSettings::default(), challenge(DPOP));
    let found = discover_with(&fake, Some(&challenge), &settings).await.unwrap();
    let registered = register_at(&fake, found, &settings, None).await;
    let code = accepted(registered.authorize(&Scopes::default(), now()).unwrap());
    let error = exchange(&http_for(&fake).await, code, now()).await.unwrap_err();
    let ErrorKind::TokenError { description: Some(description), .. } = &error.kind else {
        panic!("{error:?}")
    };
    assert_eq!(description, "bad …");
}

#[tokio::test]
async fn a_grant_without_a_person_gets_a_key_too() {
    let fake = Fake::start_with_metadata().await;
    fake.on_each(TOKEN, [nonce_required("n-1"), tokens(DPOP)]);
    let settings = ClientSettings {
        flow: Flow::ClientCredentials,
        client_id: Some("machine".to_owned()),
        client_secret: Some("a-secret-of-4711".into()),
        ..ClientSettings::default()
    };
    let found = discover_with(&fake, Some(&challenge(DPOP)), &settings).await.unwrap();
    let binding = found.unattended_binding(&settings).unwrap();
    let http = HttpClient::for_server(&ServerUrl::parse(&fake.url()).unwrap()).await.unwrap();
    let grant =
        request_unattended(&http, binding, &settings, &Scopes::default(), Step::TokenExchange, now()).await;
    assert!(grant.unwrap().access_key().is_some());
    assert_eq!(nonces(&fake.requests_to(TOKEN)), [Value::Null, json!("n-1")]);
}
