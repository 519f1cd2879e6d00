//! The check of an entry that a person adds or edits: what it would become, and what a replacement deletes.

use std::collections::HashSet;

use url::Url;
use usher_api::{
    AuthView, EntryDraftView, EntryProblemView, EntryRemovalView, EntrySecretState, EntrySecretView,
    EntrySignIn, SameAddressView, ServerId, TransportKind,
};
use usher_config::{
    Config, Diagnostic, Draft, Entry, Flow, ServerConfig, Severity, Transport, catalogue_by_url, display_text,
};

use crate::board::Board;
use crate::program::launch::Launch;
use crate::server::names::display_name;
use crate::server::view::LONGEST_ADDRESS;

/// The values outside an entry on which its check depends.
pub(super) struct CheckContext<'a> {
    pub known: &'a Config,
    pub board: &'a Board,
    /// The names of the secrets in the secret store; `None` if it cannot be read.
    pub stored: Option<&'a [String]>,
    /// The entry that is replaced.
    pub replaces: Option<&'a ServerId>,
}

impl CheckContext<'_> {
    pub fn view(&self, id: ServerId, draft: &Draft) -> EntryDraftView {
        let server = &draft.server;
        let url = server.transport.url();
        EntryDraftView {
            name: display_name(&id.0, server.title.as_deref(), url),
            id,
            entry: draft.shown.clone(),
            commented: draft.commented.clone(),
            transport: match server.transport {
                Transport::Http { .. } => TransportKind::Http,
                Transport::Sse { .. } => TransportKind::Sse,
                Transport::Stdio { .. } => TransportKind::Stdio,
            },
            sign_in: sign_in_of(server).0,
            catalogue: url.and_then(catalogue_by_url).map(|entry| entry.slug.clone()),
            address: display_text(address_of(&server.transport), LONGEST_ADDRESS),
            launch: Launch::of(&server.transport).map(|launch| launch.view()),
            secrets: self.secrets(draft),
            same_address: url.map(|url| self.same_address(url)).unwrap_or_default(),
            removes: self.removal(server),
        }
    }

    fn secrets(&self, draft: &Draft) -> Vec<EntrySecretView> {
        let state = |name: &String| {
            if draft.secrets.iter().any(|secret| secret.name == *name) {
                return EntrySecretState::Entered;
            }
            match self.stored {
                Some(stored) if !stored.contains(name) => EntrySecretState::Missing,
                Some(_) | None => EntrySecretState::Stored,
            }
        };
        let named = draft.server.secrets().into_iter().map(|one| {
            let state = state(&one.name);
            EntrySecretView { name: Some(one.name), setting: one.setting, state }
        });
        let hidden = draft.hidden.iter().cloned();
        let hidden =
            hidden.map(|setting| EntrySecretView { name: None, setting, state: EntrySecretState::InFile });
        named.chain(hidden).collect()
    }

    fn same_address(&self, url: &Url) -> Vec<SameAddressView> {
        let is_it = |server: &&ServerConfig| {
            server.transport.url().is_some_and(|other| is_same(url, other)) && !server.is_example()
        };
        let ids = self.known.servers.iter().filter(is_it).map(|server| ServerId(server.name.clone()));
        let others = ids.filter(|id| self.replaces != Some(id));
        let view = |id: ServerId| {
            let view = self.board.server(&id)?;
            let account = match view.auth {
                AuthView::OAuth { account, signed_in: true, .. } => account,
                AuthView::OAuth { .. } | AuthView::Unknown | AuthView::None | AuthView::Header => None,
            };
            Some(SameAddressView { server: id, name: view.name, account })
        };
        others.filter_map(view).collect()
    }

    /// Returns what is deleted when the entry is replaced by this server.
    pub fn removal(&self, server: &ServerConfig) -> EntryRemovalView {
        let Some(old) = self.replaces.and_then(|id| self.known.server(&id.0)) else {
            return EntryRemovalView::default();
        };
        let is_signed_in = self
            .board
            .server(&ServerId(old.name.clone()))
            .is_some_and(|view| matches!(view.auth, AuthView::OAuth { signed_in: true, .. }));
        let used = secret_names(self.known, self.replaces);
        let new: Vec<_> = server.secrets().into_iter().map(|one| one.name).collect();
        let is_unused = |name: &String| !new.contains(name) && !used.contains(name);
        // An entry with an error may use any secret.
        let are_uses_known = self.known.entries().all(|entry| matches!(entry, Entry::Server(_)));
        let old_secrets = old.secrets().into_iter().map(|one| one.name);
        EntryRemovalView {
            grant: is_signed_in && sign_in_of(old) != sign_in_of(server),
            secrets: old_secrets.filter(|name| are_uses_known && is_unused(name)).collect(),
        }
    }
}

/// Returns the names of the secrets in all entries but one. The secrets of entries with an error are unknown.
pub(super) fn secret_names(known: &Config, but: Option<&ServerId>) -> HashSet<String> {
    let entries = known.entries().filter(|entry| but.is_none_or(|id| id.0 != entry.name()));
    let servers = entries.filter_map(|entry| match entry {
        Entry::Server(server) => Some(server),
        Entry::Broken(_) => None,
    });
    servers.flat_map(|server| server.secrets().into_iter().map(|one| one.name)).collect()
}

/// Returns the kind of sign-in. A grant of one kind is useless for another.
fn sign_in_of(server: &ServerConfig) -> (EntrySignIn, Flow) {
    let kind = match &server.transport {
        Transport::Stdio { .. } => return (EntrySignIn::None, Flow::default()),
        Transport::Http { .. } | Transport::Sse { .. } if server.oauth.off => EntrySignIn::Header,
        Transport::Http { .. } | Transport::Sse { .. } => EntrySignIn::OAuth,
    };
    (kind, if kind == EntrySignIn::OAuth { server.oauth.flow } else { Flow::default() })
}

fn address_of(transport: &Transport) -> &str {
    match transport {
        Transport::Http { url, .. } | Transport::Sse { url, .. } => url.as_str(),
        Transport::Stdio { command, .. } => command.source(),
    }
}

fn is_same(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
        && one.path().trim_end_matches('/') == other.path().trim_end_matches('/')
        && one.query() == other.query()
}

pub(super) fn problem(diagnostic: &Diagnostic) -> EntryProblemView {
    EntryProblemView {
        is_error: diagnostic.severity == Severity::Error,
        message: crate::words::capitalized(&format!("{}.", diagnostic.message)),
        hint: diagnostic.hint.clone(),
        line: diagnostic.line,
        column: diagnostic.column,
    }
}
