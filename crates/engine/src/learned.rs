//! Metadata, client registrations and redirects that worked, and the servers that may ask no questions. They are not
//! secret, and are stored in one file.

mod contents;
mod forget;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rmcp::model::ProtocolVersion;
use tokio_util::task::TaskTracker;
use usher_api::{RedirectKind, ServerId};
use usher_oauth::{
    ClientRegistration, Discovered, ForeignEndpoints, GrantBinding, Issuer, NetworkZone, Quirks, RedirectUri,
};
use usher_secrets::private_files;

use crate::server_key::ServerKey;
use contents::{Contents, PinnedClient};
pub(crate) use forget::UsedByOthers;

const FILE: &str = "kept.json";
/// The number of pre-registered clients at one address, besides the first one. The oldest ones are forgotten.
const MAX_OTHER_CLIENTS: usize = 100;
/// The number of bytes that are read, more than Usher writes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The learned data. Clones share one file.
#[derive(Clone, Debug)]
pub(crate) struct Learned(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    contents: Mutex<Contents>,
    /// Held while the file is written, so that the newest contents are written last.
    writing: tokio::sync::Mutex<()>,
    tasks: TaskTracker,
}

impl Learned {
    /// Reads the file. A file that cannot be parsed is moved aside. What protects a client is taken over if possible, and
    /// everything else can be learned again.
    /// Writes run in `tasks`, so that a stopping engine waits for them.
    pub fn open(state_dir: &Path, tasks: TaskTracker) -> io::Result<Self> {
        private_files::create_private_dir(state_dir)?;
        let path = state_dir.join(FILE);
        let contents = match private_files::read(&path, LARGEST) {
            Ok(bytes) => match Contents::read(&bytes) {
                Ok(contents) => contents,
                Err(salvaged) => {
                    let aside = path.with_extension("json.broken");
                    tracing::warn!(path = %path.display(), "the file cannot be parsed; it was moved aside");
                    std::fs::rename(&path, aside)?;
                    *salvaged
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Contents::default(),
            Err(error) => return Err(error),
        };
        let contents = Mutex::new(contents);
        let inner = Inner { path, contents, writing: tokio::sync::Mutex::default(), tasks };
        Ok(Self(Arc::new(inner)))
    }

    /// Records the network zone in which the server is now. Metadata discovered in another zone is forgotten, because
    /// it may name endpoints that this zone does not allow.
    pub fn note_zone(&self, server: &ServerKey, zone: NetworkZone) {
        self.change(|contents| {
            let known = contents.server(server);
            if known.zone.replace(zone).is_some_and(|before| before != zone) {
                known.discovered = None;
            }
        });
    }

    /// Returns the discovered metadata, unless a step found it stale.
    pub fn discovered(&self, server: &ServerKey) -> Option<Discovered> {
        self.0.lock().servers.get(&server.key)?.discovered.clone()
    }

    /// Returns the discovered metadata, unless the server's challenge now names another document, or the person chose to
    /// forget the metadata for this server.
    pub fn discovered_by(
        &self,
        server: &ServerKey,
        id: &ServerId,
        challenge: Option<&str>,
    ) -> Option<Discovered> {
        let contents = self.0.lock();
        let known = contents.servers.get(&server.key).filter(|known| !known.forgotten_by.contains(id))?;
        match challenge {
            Some(challenge) if known.challenge.as_deref() != Some(challenge) => None,
            Some(_) | None => known.discovered.clone(),
        }
    }

    pub fn store_discovered(&self, server: &ServerKey, discovered: &Discovered, challenge: Option<&str>) {
        self.change(|contents| {
            let known = contents.server(server);
            known.discovered = Some(discovered.clone());
            known.forgotten_by.clear();
            known.challenge = challenge.map(str::to_owned);
        });
    }

    /// Replaces the metadata after a later step corrected it.
    pub fn replace_discovered(&self, server: &ServerKey, discovered: Discovered) {
        self.change(|contents| contents.server(server).discovered = Some(discovered));
    }

    /// Deletes metadata that a step found stale.
    pub fn forget_discovered(&self, server: &ServerKey) {
        self.change(|contents| contents.server(server).discovered = None);
    }

    /// Returns the endpoints of another site that the person confirmed.
    pub fn confirmed_endpoints(&self, server: &ServerKey) -> Option<ForeignEndpoints> {
        self.0.lock().servers.get(&server.key)?.confirmed_endpoints.clone()
    }

    pub fn store_confirmed_endpoints(&self, server: &ServerKey, endpoints: ForeignEndpoints) {
        self.change(|contents| contents.server(server).confirmed_endpoints = Some(endpoints));
    }

    /// Returns the MCP revision that the server accepted after it had rejected a newer one.
    pub fn revision(&self, server: &ServerKey) -> Option<String> {
        self.0.lock().servers.get(&server.key)?.revision.clone()
    }

    /// Stores the revision of a handshake, unless it is the newest.
    pub fn store_revision(&self, server: &ServerKey, revision: &ProtocolVersion) {
        let is_newest = *revision == ProtocolVersion::LATEST_WITH_INITIALIZE;
        if !is_newest || self.revision(server).is_some() {
            let revision = (!is_newest).then(|| revision.as_str().to_owned());
            self.change(|contents| contents.server(server).revision = revision);
        }
    }

    /// Returns the transport that worked after the entry's own had failed: whether it is HTTP+SSE.
    pub fn uses_sse(&self, server: &ServerKey) -> Option<bool> {
        self.0.lock().servers.get(&server.key)?.uses_sse
    }

    pub fn store_uses_sse(&self, server: &ServerKey, uses_sse: bool) {
        self.change(|contents| contents.server(server).uses_sse = Some(uses_sse));
    }

    /// Returns whether a program never answers `server/discover`.
    pub fn ignores_discovery(&self, server: &ServerKey) -> bool {
        self.0.lock().servers.get(&server.key).is_some_and(|known| known.ignores_discovery)
    }

    pub fn store_ignores_discovery(&self, server: &ServerKey, ignores: bool) {
        if self.ignores_discovery(server) != ignores {
            self.change(|contents| contents.server(server).ignores_discovery = ignores);
        }
    }

    /// Returns the challenge of a call that was refused without a token.
    pub fn call_challenge(&self, server: &ServerKey) -> Option<String> {
        self.0.lock().servers.get(&server.key)?.call_challenge.clone()
    }

    pub fn store_call_challenge(&self, server: &ServerKey, resource_metadata: String) {
        self.change(|contents| contents.server(server).call_challenge = Some(resource_metadata));
    }

    /// Returns the issuer that a pre-registered client was first used with at this address, whatever the settings were.
    pub fn pinned_issuer(&self, server: &ServerKey, client_id: &str) -> Option<Issuer> {
        let contents = self.0.lock();
        let mut clients = contents.servers.get(&server.address)?.clients();
        clients.find(|client| client.client_id == client_id).map(|client| client.issuer.clone())
    }

    pub fn pin_issuer(&self, server: &ServerKey, client_id: &str, issuer: &Issuer) {
        let client = PinnedClient { client_id: client_id.to_owned(), issuer: issuer.clone() };
        self.change(|contents| {
            let known = contents.servers.entry(server.address.clone()).or_default();
            // A client's issuer is never replaced: no other issuer may see the client or its secret.
            if known.clients().any(|pinned| pinned.client_id == client.client_id) {
                return;
            }
            if known.client.is_none() {
                known.client = Some(client);
                return;
            }
            // Another account at the same address has a client of its own.
            known.other_clients.push(client);
            let excess = known.other_clients.len().saturating_sub(MAX_OTHER_CLIENTS);
            known.other_clients.drain(..excess);
        });
    }

    /// Returns the first registration at an issuer that `condition` accepts.
    pub fn registration(
        &self,
        issuer: &Issuer,
        condition: impl Fn(&ClientRegistration) -> bool,
    ) -> Option<ClientRegistration> {
        let contents = self.0.lock();
        let known = contents.issuers.get(issuer.as_str())?;
        known.registrations.iter().find(|registration| condition(registration)).cloned()
    }

    /// Returns the first registration at an issuer that `condition` accepts and the server has not forgotten.
    pub fn registration_for(
        &self,
        server: &ServerId,
        issuer: &Issuer,
        condition: impl Fn(&ClientRegistration) -> bool,
    ) -> Option<ClientRegistration> {
        let contents = self.0.lock();
        let known = contents.issuers.get(issuer.as_str())?;
        let usable = |registration: &&ClientRegistration| {
            condition(registration) && !known.has_forgotten(server, &registration.client_id)
        };
        known.registrations.iter().find(usable).cloned()
    }

    /// Stores a registration in place of the one with the same redirect, or without one. All loopback ports count as one
    /// redirect. A registration that the server has forgotten stays, because another server uses it.
    pub fn store_registration(&self, server: &ServerId, registration: ClientRegistration) {
        self.change(|contents| {
            let known = contents.issuers.entry(registration.issuer.as_str().to_owned()).or_default();
            let same_redirect = |other: &ClientRegistration| {
                let redirects = [&other.redirect_uri, &registration.redirect_uri];
                let is_loopback =
                    |redirect: &Option<RedirectUri>| redirect.as_ref().is_some_and(RedirectUri::is_loopback);
                redirects[0] == redirects[1] || redirects.into_iter().all(is_loopback)
            };
            let forgotten = known.forgotten_by.clone();
            let is_of_others = |other: &ClientRegistration| {
                forgotten.get(&other.client_id).is_some_and(|servers| servers.contains(server))
            };
            known.registrations.retain(|other| !same_redirect(other) || is_of_others(other));
            known.registrations.push(registration);
        });
    }

    /// Deletes a client that the authorization server no longer knows.
    pub fn forget_client(&self, issuer: &Issuer, client_id: &str) {
        self.change(|contents| {
            if let Some(known) = contents.issuers.get_mut(issuer.as_str()) {
                known.registrations.retain(|registration| registration.client_id != client_id);
                known.forgotten_by.remove(client_id);
            }
        });
    }

    /// Deletes all clients at an issuer, because its error does not say which client is unknown.
    pub fn forget_registrations(&self, issuer: &Issuer) {
        self.change(|contents| {
            if let Some(known) = contents.issuers.get_mut(issuer.as_str()) {
                known.registrations.clear();
                known.forgotten_by.clear();
            }
        });
    }

    /// Returns the redirect of the last successful sign-in.
    pub fn redirect(&self, issuer: &Issuer) -> Option<RedirectKind> {
        self.0.lock().issuers.get(issuer.as_str())?.redirect
    }

    pub fn store_redirect(&self, issuer: &Issuer, redirect: RedirectKind) {
        self.change(|contents| {
            contents.issuers.entry(issuer.as_str().to_owned()).or_default().redirect = Some(redirect);
        });
    }

    /// Returns what was learned about an issuer from rejected requests.
    pub fn quirks(&self, issuer: &Issuer) -> Quirks {
        self.0.lock().issuers.get(issuer.as_str()).map(|known| known.quirks).unwrap_or_default()
    }

    /// Learns from a request that was sent as `planned` and succeeded as `accepted`.
    pub fn learn_quirks(&self, planned: &GrantBinding, accepted: &GrantBinding) {
        self.change_quirks(&planned.issuer, |quirks| quirks.learn(planned, accepted));
    }

    pub fn change_quirks(&self, issuer: &Issuer, change: impl FnOnce(&mut Quirks)) {
        let mut quirks = self.quirks(issuer);
        change(&mut quirks);
        if quirks != self.quirks(issuer) {
            self.change(|contents| {
                contents.issuers.entry(issuer.as_str().to_owned()).or_default().quirks = quirks;
            });
        }
    }

    /// Returns whether the person forbade the server to ask questions.
    pub fn has_questions_blocked(&self, server: &ServerId) -> bool {
        self.0.lock().questions_blocked.contains(server)
    }

    pub fn set_questions_blocked(&self, server: &ServerId, blocked: bool) {
        self.change(|contents| {
            if blocked {
                contents.questions_blocked.insert(server.clone());
            } else {
                contents.questions_blocked.remove(server);
            }
        });
    }

    /// Returns whether the person signed out from a server that needs no person to sign in.
    pub fn is_signed_out(&self, server: &ServerId) -> bool {
        self.0.lock().signed_out.contains(server)
    }

    pub fn set_signed_out(&self, server: &ServerId, signed_out: bool) {
        self.change(|contents| {
            if signed_out {
                contents.signed_out.insert(server.clone());
            } else {
                contents.signed_out.remove(server);
            }
        });
    }

    /// Returns whether the previous run had a sign-in that waits for another device and has not expired.
    pub fn waits_for_device(&self, server: &ServerId, now: Timestamp) -> bool {
        self.0.lock().device_sign_ins.get(server).is_some_and(|expires_at| *expires_at > now)
    }

    pub fn set_device_sign_in(&self, server: &ServerId, expires_at: Option<Timestamp>) {
        self.change(|contents| match expires_at {
            Some(expires_at) => {
                contents.device_sign_ins.insert(server.clone(), expires_at);
            }
            None => {
                contents.device_sign_ins.remove(server);
            }
        });
    }

    /// Changes the contents in memory at once, and the file in the background.
    fn change(&self, change: impl FnOnce(&mut Contents)) {
        {
            let mut contents = self.0.lock();
            let before = contents.clone();
            contents.mark_current();
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
            let text = inner.lock().to_file()?;
            private_files::replace(&inner.path, &text)
        });
        match written.await {
            Ok(Ok(())) => {}
            // The contents are learned again after the next start.
            Ok(Err(error)) => {
                tracing::warn!(path = %self.path.display(), %error, "the file cannot be written")
            }
            Err(error) => tracing::warn!(%error, "writing kept.json was interrupted"),
        }
    }
}

#[cfg(test)]
mod tests;
