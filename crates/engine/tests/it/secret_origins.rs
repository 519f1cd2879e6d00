//! The origins of the secrets that a person enters for a server.

use std::collections::BTreeMap;

use usher_api::{Code, NewServer, ServerView, Status};
use usher_demo::Demo;
use usher_engine::{PreRegisteredClient, SignInOptions, allowed_origins};

use crate::fixture::*;

#[tokio::test]
async fn a_client_secret_is_bound_to_the_server_for_which_the_person_entered_it() {
    let (sandbox, first, second) = (Sandbox::new(), demo().await, demo().await);
    let engine = sandbox.start().await;
    let allowed = || allowed_origins(&sandbox.path("state")).unwrap();
    let bound_to =
        |demo: &Demo| BTreeMap::from([("{{demo_client_secret}}".to_owned(), vec![demo.issuer().to_owned()])]);
    let server = NewServer {
        name: Some("demo".to_owned()),
        url: first.url().to_string(),
        client_id: Some("client".to_owned()),
        ..NewServer::default()
    };
    engine.add(server, Some("hush".into())).await.unwrap();
    assert_eq!(allowed(), bound_to(&first));
    until(&engine, &id(), needs_sign_in).await;

    let text = std::fs::read_to_string(sandbox.path("mcp.json")).unwrap();
    sandbox.write_config(&text.replace(first.url().as_str(), second.url().as_str()));
    let is_refused = |view: &ServerView| matches!(&view.status, Status::Failed { error } if error.code == Code::SecretNotAllowed);
    until(&engine, &id(), is_refused).await;
    assert!(requests(&second).is_empty(), "{:?}", requests(&second));

    // The person enters the secret of the new server. The earlier server must not get it.
    let client =
        PreRegisteredClient { client_id: "other".to_owned(), client_secret: Some("hush now".into()) };
    engine.sign_in(&id(), SignInOptions { client: Some(client), ..SignInOptions::default() }).await.unwrap();
    assert_eq!(allowed(), bound_to(&second));
}
