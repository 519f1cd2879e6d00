//! What was learned and is not secret, in one file of the state folder: metadata, registrations, redirects.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio_util::task::TaskTracker;
use usher_oauth::{ClientRegistration, Discovered, Issuer, NetworkZone, RedirectUri, ServerUrl};
use usher_secrets::private_files;

use crate::RedirectKind;
use crate::credentials::intent::Intents;

const FILE: &str = "kept.json";
/// Far more than a hundred servers need; what is cut here is not understood, and moved aside.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Cloning gives another handle to the same file.
#[derive(Clone, Debug)]
pub(crate) struct Kept(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    intents: Intents,
    contents: Mutex<Contents>,
    /// One writer at a time, so that the newest contents are the last ones written.
    writing: tokio::sync::Mutex<()>,
    tasks: TaskTracker,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Contents {
    version: u32,
    /// By the server's address.
    #[serde(default)]
    servers: BTreeMap<String, KeptServer>,
    /// By issuer.
    #[serde(default)]
    issuers: BTreeMap<String, KeptIssuer>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptServer {
    /// What discovery found; absent once a step called it stale.
    discovered: Option<Discovered>,
    /// The `resource_metadata` of the challenge it was found by.
    challenge: Option<String>,
    /// A client set up by hand belongs to the first issuer that it met, and to no other.
    client: Option<PinnedClient>,
    /// From where the server was found then.
    #[serde(default)]
    reach: Option<NetworkZone>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct PinnedClient {
    client_id: String,
    issuer: Issuer,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct KeptIssuer {
    /// The way back that worked the last time.
    redirect: Option<RedirectKind>,
    #[serde(default)]
    registrations: Vec<ClientRegistration>,
}

const VERSION: u32 = 1;

impl Kept {
    /// Reads the file. One that cannot be understood is moved aside: all of it can be learned again.
    /// Writing runs among `tasks`, so that an engine that stops waits for it.
    pub fn open(state_dir: &Path, tasks: TaskTracker) -> io::Result<Self> {
        private_files::create_private_dir(state_dir)?;
        let path = state_dir.join(FILE);
        let contents = match private_files::read(&path, LARGEST) {
            Ok(bytes) => match serde_json::from_slice::<Contents>(&bytes) {
                Ok(contents) if contents.version == VERSION => contents,
                Ok(_) | Err(_) => {
                    let aside = path.with_extension("json.broken");
                    tracing::warn!(path = %path.display(), "cannot be understood; moved aside and begun anew");
                    std::fs::rename(&path, aside)?;
                    Contents::default()
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Contents::default(),
            Err(error) => return Err(error),
        };
        let (intents, contents) = (Intents::in_folder(state_dir), Mutex::new(contents));
        let inner = Inner { path, intents, contents, writing: tokio::sync::Mutex::default(), tasks };
        Ok(Self(Arc::new(inner)))
    }

    /// The renewals that are under way.
    pub fn intents(&self) -> &Intents {
        &self.0.intents
    }

    /// Where the server is by the names of this network. What was discovered from elsewhere is forgotten: its
    /// documents passed another rule, and may name what this one must not be led to.
    pub fn note_reach(&self, server: &ServerUrl, reach: NetworkZone) {
        self.change(|contents| {
            let kept = contents.server(server);
            if kept.reach.replace(reach).is_some_and(|before| before != reach) {
                kept.discovered = None;
            }
        });
    }

    /// What discovery found for a server, where no step called it stale since.
    pub fn discovered(&self, server: &ServerUrl) -> Option<Discovered> {
        self.0.lock().servers.get(server.as_str())?.discovered.clone()
    }

    /// The same, unless the server's challenge now names other metadata than the one it was found by.
    pub fn discovered_by(&self, server: &ServerUrl, challenge: Option<&str>) -> Option<Discovered> {
        let contents = self.0.lock();
        let kept = contents.servers.get(server.as_str())?;
        match challenge {
            Some(challenge) if kept.challenge.as_deref() != Some(challenge) => None,
            Some(_) | None => kept.discovered.clone(),
        }
    }

    pub fn keep_discovered(&self, server: &ServerUrl, discovered: &Discovered, challenge: Option<&str>) {
        self.change(|contents| {
            let kept = contents.server(server);
            kept.discovered = Some(discovered.clone());
            kept.challenge = challenge.map(str::to_owned);
        });
    }

    /// A later step learned more about what discovery found.
    pub fn amend_discovered(&self, server: &ServerUrl, discovered: Discovered) {
        self.change(|contents| contents.server(server).discovered = Some(discovered));
    }

    /// A step called the metadata stale.
    pub fn forget_discovered(&self, server: &ServerUrl) {
        self.change(|contents| contents.server(server).discovered = None);
    }

    /// The issuer that a client set up by hand was first shown to.
    pub fn pinned_issuer(&self, server: &ServerUrl, client_id: &str) -> Option<Issuer> {
        let contents = self.0.lock();
        let client = contents.servers.get(server.as_str())?.client.as_ref()?;
        (client.client_id == client_id).then(|| client.issuer.clone())
    }

    pub fn pin_issuer(&self, server: &ServerUrl, client_id: &str, issuer: &Issuer) {
        let client = PinnedClient { client_id: client_id.to_owned(), issuer: issuer.clone() };
        self.change(|contents| {
            let pinned = &mut contents.server(server).client;
            // Pinned for good: another issuer gets to see neither the client nor its secret.
            if pinned.as_ref().is_none_or(|pinned| pinned.client_id != client.client_id) {
                *pinned = Some(client);
            }
        });
    }

    /// The registration at an issuer that a predicate on its redirect picks.
    pub fn registration(
        &self,
        issuer: &Issuer,
        fits: impl Fn(&RedirectUri) -> bool,
    ) -> Option<ClientRegistration> {
        let contents = self.0.lock();
        let kept = contents.issuers.get(issuer.as_str())?;
        kept.registrations.iter().find(|registration| fits(&registration.redirect_uri)).cloned()
    }

    /// The registration of a client id at an issuer.
    pub fn client(&self, issuer: &Issuer, client_id: &str) -> Option<ClientRegistration> {
        let contents = self.0.lock();
        let kept = contents.issuers.get(issuer.as_str())?;
        kept.registrations.iter().find(|registration| registration.client_id == client_id).cloned()
    }

    /// One registration an issuer and redirect; loopback addresses count as one redirect whatever their port.
    pub fn keep_registration(&self, registration: ClientRegistration) {
        self.change(|contents| {
            let kept = contents.issuers.entry(registration.issuer.as_str().to_owned()).or_default();
            let same_rung = |other: &ClientRegistration| {
                other.redirect_uri == registration.redirect_uri
                    || (other.redirect_uri.is_loopback() && registration.redirect_uri.is_loopback())
            };
            kept.registrations.retain(|other| !same_rung(other));
            kept.registrations.push(registration);
        });
    }

    /// The authorization server no longer knows this client.
    pub fn forget_client(&self, issuer: &Issuer, client_id: &str) {
        self.change(|contents| {
            if let Some(kept) = contents.issuers.get_mut(issuer.as_str()) {
                kept.registrations.retain(|registration| registration.client_id != client_id);
            }
        });
    }

    /// The authorization server does not say which client it lost.
    pub fn forget_registrations(&self, issuer: &Issuer) {
        self.change(|contents| {
            if let Some(kept) = contents.issuers.get_mut(issuer.as_str()) {
                kept.registrations.clear();
            }
        });
    }

    /// The way back that worked the last time.
    pub fn redirect(&self, issuer: &Issuer) -> Option<RedirectKind> {
        self.0.lock().issuers.get(issuer.as_str())?.redirect
    }

    pub fn keep_redirect(&self, issuer: &Issuer, redirect: RedirectKind) {
        self.change(|contents| {
            contents.issuers.entry(issuer.as_str().to_owned()).or_default().redirect = Some(redirect);
        });
    }

    /// Changes what is in memory now; the file follows.
    fn change(&self, change: impl FnOnce(&mut Contents)) {
        {
            let mut contents = self.0.lock();
            let before = contents.clone();
            contents.version = VERSION;
            change(&mut contents);
            if *contents == before {
                return;
            }
        }
        let inner = Arc::clone(&self.0);
        self.0.tasks.spawn(async move { inner.write().await });
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(self: Arc<Self>) {
        let _writing = self.writing.lock().await;
        let inner = Arc::clone(&self);
        let written = tokio::task::spawn_blocking(move || {
            let text = serde_json::to_vec_pretty(&*inner.lock())?;
            private_files::replace(&inner.path, &text)
        });
        match written.await {
            Ok(Ok(())) => {}
            // What cannot be kept is learned again after the next start.
            Ok(Err(error)) => tracing::warn!(path = %self.path.display(), %error, "cannot be written"),
            Err(error) => tracing::warn!(%error, "writing was interrupted"),
        }
    }
}

impl Contents {
    fn server(&mut self, server: &ServerUrl) -> &mut KeptServer {
        let empty = || KeptServer { discovered: None, challenge: None, client: None, reach: None };
        self.servers.entry(server.as_str().to_owned()).or_insert_with(empty)
    }
}

#[cfg(test)]
mod tests {
    use usher_oauth::{AuthorizationServerMetadata, Endpoint, MetadataSource, Scopes};

    use super::*;

    fn discovered() -> Discovered {
        let endpoint = |raw: &str| Endpoint::parse("an endpoint", raw).expect("an address");
        let metadata = AuthorizationServerMetadata {
            issuer: Issuer::parse("https://as.example.com").expect("an issuer"),
            authorization_endpoint: endpoint("https://as.example.com/authorize"),
            token_endpoint: endpoint("https://as.example.com/token"),
            registration_endpoint: None,
            revocation_endpoint: None,
            scopes_supported: Vec::new(),
            token_endpoint_auth_methods_supported: None,
            code_challenge_methods_supported: Vec::new(),
            client_id_metadata_document_supported: false,
            authorization_response_iss_parameter_supported: false,
        };
        Discovered {
            resource: "https://mcp.example.com/mcp".to_owned(),
            sends_resource: true,
            resource_name: None,
            metadata,
            source: MetadataSource::ResourceMetadata,
            scopes_supported: None,
            scopes: Scopes::default(),
        }
    }

    #[tokio::test]
    async fn what_was_discovered_from_elsewhere_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let server = ServerUrl::parse("https://mcp.example.com/mcp").expect("an address");
        let discovered = discovered();
        {
            let tasks = TaskTracker::new();
            let kept = Kept::open(folder.path(), tasks.clone()).expect("an empty one");
            kept.note_reach(&server, NetworkZone::Public);
            kept.keep_discovered(&server, &discovered, None);
            kept.note_reach(&server, NetworkZone::Public);
            assert!(kept.discovered(&server).is_some());
            tasks.close();
            tasks.wait().await;
        }
        let kept = Kept::open(folder.path(), TaskTracker::new()).expect("the same one");
        assert!(kept.discovered(&server).is_some());
        kept.note_reach(&server, NetworkZone::Private);
        assert!(kept.discovered(&server).is_none());
    }

    #[tokio::test]
    async fn a_client_set_up_by_hand_belongs_to_the_first_issuer_it_met() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Kept::open(folder.path(), TaskTracker::new()).expect("an empty one");
        let server = ServerUrl::parse("https://mcp.example.com/mcp").expect("an address");
        let issuer = |raw: &str| Issuer::parse(raw).expect("an issuer");
        let (first, other) = (issuer("https://as.example.com"), issuer("https://evil.example"));
        kept.pin_issuer(&server, "client", &first);
        kept.pin_issuer(&server, "client", &other);
        assert_eq!(kept.pinned_issuer(&server, "client"), Some(first));
        assert_eq!(kept.pinned_issuer(&server, "another"), None);
        kept.pin_issuer(&server, "another", &other);
        assert_eq!(kept.pinned_issuer(&server, "another"), Some(other));
    }
}
