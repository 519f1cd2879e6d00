//! No secret crosses the socket: the test records every byte in both directions.

use std::io;
use std::sync::{Arc, Mutex};

use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use usher_api::{Reply, Request, ServerVerb};
use usher_ipc::Client;
use usher_secrets::{SecretStore, StoreKind};

use crate::fixture::*;

/// A relay between a client and the holder, which records every byte.
struct Eavesdropper {
    recorded: Arc<Mutex<Vec<u8>>>,
}

impl Eavesdropper {
    fn start(fixture: &Fixture) -> Self {
        let recorded = Arc::<Mutex<Vec<u8>>>::default();
        let folder = fixture.path("between");
        usher_secrets::private_files::ensure_private_dir(&folder).unwrap();
        let listener = UnixListener::bind(folder.join("engine.sock")).unwrap();
        let (real, copy) = (fixture.path("run/engine.sock"), Arc::clone(&recorded));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let holder = UnixStream::connect(&real).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_holder, to_holder) = holder.into_split();
                tokio::spawn(relay(from_client, to_holder, Arc::clone(&copy)));
                tokio::spawn(relay(from_holder, to_client, Arc::clone(&copy)));
            }
        });
        Self { recorded }
    }

    fn text(&self) -> String {
        String::from_utf8(self.recorded.lock().unwrap().clone()).unwrap()
    }
}

async fn relay(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    recorded: Arc<Mutex<Vec<u8>>>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        recorded.lock().unwrap().extend_from_slice(&buffer[..read]);
        to.write_all(&buffer[..read]).await?;
    }
}

async fn collect_tokens(store: &SecretStore, secrets: &mut Vec<String>) {
    let grant = store.grant("demo").await.unwrap().unwrap();
    secrets.push(grant.access_token.expose_secret().to_owned());
    secrets.push(grant.refresh_token.unwrap().expose_secret().to_owned());
}

#[tokio::test]
async fn no_secret_crosses_the_socket() {
    let fixture = Fixture::new().await;
    let _held = fixture.hold().await;
    let eavesdropper = Eavesdropper::start(&fixture);
    let client = Client::connect(&fixture.path("between"), fixture.join_options()).await.unwrap();
    let store = SecretStore::open(StoreKind::File(fixture.path("secrets")));
    let mut secrets = Vec::new();

    // A sign-in. Its verifier is in the secret store while the sign-in waits.
    let request = begin_sign_in(&client).await;
    let pending = tokio::time::timeout(DEADLINE, async {
        loop {
            match store.pending("demo").await.unwrap() {
                Some(pending) => return pending,
                None => tokio::task::yield_now().await,
            }
        }
    });
    let pending: Value = serde_json::from_str(pending.await.unwrap().expose_secret()).unwrap();
    secrets.push(pending["verifier"].as_str().unwrap().to_owned());
    let address = approve(&request).await;
    client.ask(Request::CompleteSignIn { address }).await.unwrap();
    collect_tokens(&store, &mut secrets).await;

    // A call, a refresh after a 401, and a named secret.
    client.ask(call("search_pages", r#"{ "query": "tea" }"#, "first")).await.unwrap();
    fixture.demo.revoke_access_tokens();
    client.ask(call("search_pages", r#"{ "query": "tea" }"#, "second")).await.unwrap();
    collect_tokens(&store, &mut secrets).await;
    assert_eq!(fixture.demo.token_requests("refresh_token"), 1);
    store.put_named("corp", &"a-named-secret".into()).await.unwrap();
    secrets.push("a-named-secret".to_owned());
    client.ask(Request::SecretsChanged { name: Some("corp".to_owned()) }).await.unwrap();
    let Reply::Secrets(list) = client.ask(Request::Secrets).await.unwrap() else { panic!("another reply") };
    assert_eq!(list.secrets[0].name, "corp");

    // A refresh that fails, a sign-out, and the snapshot again.
    fixture.demo.revoke_access_tokens();
    fixture.demo.add_token_fault(usher_demo::TokenFault::InvalidGrant);
    let _ = client.ask(call("search_pages", r#"{ "query": "tea" }"#, "third")).await;
    client.ask(Request::server(&id(), ServerVerb::SignOut)).await.unwrap();
    client.ask(Request::Snapshot).await.unwrap();

    secrets.sort();
    secrets.dedup();
    assert_eq!(secrets.len(), 6);
    let text = eavesdropper.text();
    assert!(text.len() > 5_000 && text.contains("call_tool") && text.contains("server_changed"), "{text}");
    for secret in &secrets {
        assert!(secret.len() > 10);
        assert!(!text.contains(secret.as_str()), "a secret crossed the socket");
    }
}
