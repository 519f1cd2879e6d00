//! A fake service with one token family, and the grant of that family in the engine's secret store.

use std::ops::Deref;

use secrecy::ExposeSecret;
use serde_json::json;
use usher_engine::{Engine, SignInOptions};
use usher_fake_service::{FakeService, FamilyId, IssuedTokens, Options};
use usher_secrets::{SecretStore, StoreKind, StoredGrant};

use crate::fixture::*;

/// A fake service whose access token has expired, so that the grant must be refreshed at once.
pub struct GrantedService {
    service: FakeService,
    issued: IssuedTokens,
}

/// A service that holds its token replies, and the folders and secret store with its expired grant.
pub async fn held_service(options: Options) -> (Sandbox, GrantedService, SecretStore) {
    let (sandbox, service) = (Sandbox::new(), GrantedService::start_held(options).await);
    let store = service.store_grant(&sandbox).await;
    (sandbox, service, store)
}

impl Deref for GrantedService {
    type Target = FakeService;

    fn deref(&self) -> &FakeService {
        &self.service
    }
}

impl GrantedService {
    pub async fn start(options: Options) -> Self {
        let service = FakeService::start(options).await.unwrap();
        let revocation_endpoint = service.at("/revoke");
        service.change_server_metadata(json!({ "revocation_endpoint": revocation_endpoint }));
        let issued = service.issue_tokens("client");
        service.ledger().expire(issued.family);
        Self { service, issued }
    }

    /// A service whose token endpoint waits for the test before each reply.
    pub async fn start_held(options: Options) -> Self {
        let service = Self::start(options).await;
        service.hold_token_replies();
        service
    }

    pub fn family(&self) -> FamilyId {
        self.issued.family
    }

    pub fn expired_grant(&self) -> StoredGrant {
        StoredGrant {
            access_token: self.issued.access_token.clone().into(),
            refresh_token: Some(self.issued.refresh_token.clone().into()),
            expires_at: Some("2020-01-01T00:00:00Z".parse().unwrap()),
            scopes: vec![],
            account: None,
            issuer: self.origin.clone(),
            token_endpoint: self.at("/token"),
            revocation_endpoint: Some(self.at("/revoke")),
            client_id: "client".to_owned(),
            resource: self.url(),
            sends_resource: true,
            sends_scope: false,
            has_configured_endpoints: false,
            auth_method: "none".to_owned(),
            dpop_key: None,
            token_type: "Bearer".to_owned(),
        }
    }

    /// Writes the service into `mcp.json`, and returns the engine's secret store.
    pub fn configure(&self, sandbox: &Sandbox) -> SecretStore {
        sandbox.write_config(&config(&[("demo", &self.url())]));
        SecretStore::open(StoreKind::File(sandbox.path("secrets")))
    }

    /// Writes the service into `mcp.json`, and its expired grant into the secret store, which is returned.
    pub async fn store_grant(&self, sandbox: &Sandbox) -> SecretStore {
        let store = self.configure(sandbox);
        store.put_grant("demo", &self.expired_grant()).await.unwrap();
        store
    }

    /// The numbers of the refresh tokens that were sent, in the order of the requests.
    pub fn sent_tokens(&self) -> Vec<u32> {
        let sent = self.requests_to("POST /token").into_iter();
        sent.filter_map(|request| Some(self.number_of(request.form().get("refresh_token")?))).collect()
    }

    /// The number of the stored refresh token in its family.
    pub async fn stored_rotation(&self, store: &SecretStore) -> Option<u32> {
        let refresh_token = store.grant("demo").await.unwrap()?.refresh_token?;
        Some(self.number_of(refresh_token.expose_secret()))
    }

    /// The number of a refresh token in its family; the first is 0.
    pub fn number_of(&self, refresh_token: &str) -> u32 {
        self.ledger().parse_refresh_token(refresh_token).unwrap().1
    }

    /// Starts a sign-in, approves it, and returns the callback.
    pub async fn begin_sign_in(&self, engine: &Engine) -> String {
        let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
        self.approve(&request.authorization_url).unwrap()
    }
}
