//! Forgets what was learned about one server. Other servers of the same authorization server, such as another account at
//! the same address, keep what they use.

use std::collections::BTreeSet;

use usher_api::ServerId;

use super::Learned;
use crate::server_key::ServerKey;

/// The learned data that other servers with a grant use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UsedByOthers {
    /// Whether one of them has the same key.
    pub metadata: bool,
    /// Whether one of them has the same issuer.
    pub issuer: bool,
    /// The clients of their grants at that issuer.
    pub clients: BTreeSet<String>,
}

impl Learned {
    /// Deletes the metadata of a server, and the registrations and the redirect of its issuer. What others use stays for
    /// them, and the server does not use it again. The issuers of pre-registered clients and the network zone stay,
    /// because they protect the clients and the grant.
    pub fn forget(&self, key: &ServerKey, server: &ServerId, issuer: Option<&str>, others: &UsedByOthers) {
        self.change(|contents| {
            if let Some(known) = contents.servers.get_mut(&key.key) {
                if others.metadata {
                    known.forgotten_by.insert(server.clone());
                } else {
                    known.discovered = None;
                    known.challenge = None;
                    known.call_challenge = None;
                    known.confirmed_endpoints = None;
                    known.revision = None;
                }
            }
            let Some(issuer) = issuer else { return };
            if !others.issuer {
                contents.issuers.remove(issuer);
            } else if let Some(known) = contents.issuers.get_mut(issuer) {
                known.registrations.retain(|registration| others.clients.contains(&registration.client_id));
                for client_id in &others.clients {
                    known.forgotten_by.entry(client_id.clone()).or_default().insert(server.clone());
                }
            }
        });
    }
}
