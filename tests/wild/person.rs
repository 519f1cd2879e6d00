//! A person with an engine and a browser: signs in to a fake service, and looks at the result.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use usher_api::{ErrorView, ServerId, ServerView, Status};
use usher_engine::{Clock, Engine, EngineOptions, SignInOptions};
use usher_fake_service::{FakeService, Options, http_client};
use usher_secrets::{SecretStore, StoreKind, StoredGrant};
use usher_tests::engine::options;
use usher_tests::wait::TIMEOUT;

pub struct Person {
    pub service: Arc<FakeService>,
    pub engine: Engine,
    /// The engine's clock.
    pub clock: Clock,
    folder: TempDir,
}

impl Person {
    /// Starts an engine with the service in its `mcp.json`.
    pub async fn new(service: Arc<FakeService>) -> Result<Self> {
        let entry = json!({ "type": "http", "url": service.url() });
        Person::with_entry(service, entry).await
    }

    pub async fn with_entry(service: Arc<FakeService>, entry: Value) -> Result<Self> {
        Person::start(service, entry, None).await
    }

    /// Starts an engine with the service in its `mcp.json`, and with a stored grant.
    pub async fn with_grant(service: Arc<FakeService>, grant: &StoredGrant) -> Result<Self> {
        let entry = json!({ "type": "http", "url": service.url() });
        Person::start(service, entry, Some(grant)).await
    }

    async fn start(service: Arc<FakeService>, entry: Value, grant: Option<&StoredGrant>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        if let Some(grant) = grant {
            let store = SecretStore::open(StoreKind::File(folder.path().join("secrets")));
            store.put_grant(&id().0, grant).await?;
        }
        std::fs::write(folder.path().join("mcp.json"), config(&entry))?;
        let clock = Clock::default();
        let engine = Engine::start(EngineOptions { clock: clock.clone(), ..options(folder.path()) }).await?;
        Ok(Self { service, engine, clock, folder })
    }

    /// Stops the engine, and starts another one with the same files.
    pub async fn restarted(self) -> Result<Self> {
        self.engine.stop().await;
        let options = EngineOptions { clock: self.clock.clone(), ..options(self.folder.path()) };
        let engine = Engine::start(options).await?;
        Ok(Self { engine, ..self })
    }

    /// Signs in as a person does: the browser requests the page, and its redirect is the callback.
    pub async fn sign_in(&self) -> Result<()> {
        let request = self.engine.sign_in(&id(), SignInOptions::default()).await?;
        let callback = self.open_page(&request.authorization_url).await?;
        self.engine.complete_sign_in(&callback).await?;
        Ok(())
    }

    /// Requests the authorization page, and returns the callback that it redirects to.
    pub async fn open_page(&self, url: &str) -> Result<String> {
        let browser = http_client().build()?;
        let page = browser.get(url).send().await?;
        let Some(callback) = page.headers().get("location") else {
            bail!("the page shows an error: {}", page.text().await?);
        };
        Ok(callback.to_str()?.to_owned())
    }

    /// Waits for a state of the server.
    pub async fn until(&self, is_expected: impl Fn(&ServerView) -> bool) -> Result<ServerView> {
        self.until_server(&id(), is_expected).await
    }

    /// Waits for a state of a server with this name.
    pub async fn until_server(
        &self,
        id: &ServerId,
        is_expected: impl Fn(&ServerView) -> bool,
    ) -> Result<ServerView> {
        let mut events = self.engine.subscribe();
        let wait = async {
            loop {
                if let Some(view) = self.engine.server(id).filter(|view| is_expected(view)) {
                    return view;
                }
                // A missed event does not matter, because the view includes it.
                let _ = events.recv().await;
            }
        };
        let last = || format!("timed out; the last state is {:?}", self.engine.server(id));
        tokio::time::timeout(TIMEOUT, wait).await.with_context(last)
    }

    pub async fn until_connected(&self) -> Result<ServerView> {
        self.until(|view| matches!(view.status, Status::Connected { .. })).await
    }

    /// Replaces the connection.
    pub async fn reconnect(&self) -> Result<()> {
        let since = |view: &ServerView| match view.status {
            Status::Connected { since, .. } => Some(since),
            _ => None,
        };
        let before = self.engine.server(&id()).as_ref().and_then(since);
        self.engine.connect(&id()).await?;
        self.until(|view| since(view).is_some() && since(view) != before).await?;
        Ok(())
    }

    /// Writes another entry for the server into `mcp.json`.
    pub fn change_entry(&self, entry: &Value) -> Result<()> {
        Ok(std::fs::write(self.path("mcp.json"), config(entry))?)
    }

    pub fn store(&self) -> SecretStore {
        SecretStore::open(StoreKind::File(self.path("secrets")))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The name of the service in `mcp.json`.
pub fn id() -> ServerId {
    ServerId("wild".to_owned())
}

/// A service that a row may change.
pub async fn service() -> Result<Arc<FakeService>> {
    service_with(Options::default()).await
}

pub async fn service_with(options: Options) -> Result<Arc<FakeService>> {
    Ok(Arc::new(FakeService::start(options).await?))
}

/// The error that the engine reported.
pub fn reported(error: &anyhow::Error) -> &ErrorView {
    error.downcast_ref().unwrap_or_else(|| panic!("not an error of the engine: {error:#}"))
}

fn config(entry: &Value) -> String {
    json!({ "mcpServers": { id().0: entry } }).to_string()
}
