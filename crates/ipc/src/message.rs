//! The lines that cross the socket: an opening and its welcome, then requests one way, replies and events the other.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use usher_api::{ErrorView, Event, Reply, Request, SecretStoreView, ServerId, Snapshot};
use usher_engine::EngineOptions;

/// Grows with every change of these messages, or of the views in them. Both ends come from one package, so other
/// numbers than our own are refused.
pub(crate) const PROTOCOL: u32 = 3;

/// What a client is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Where the client takes things to lie; an engine of other places refuses it. `None` does not mind.
    pub places: Option<Places>,
    /// The servers that it will speak of, to be run besides those that run.
    pub servers: Servers,
    /// Whether it wants the snapshot and the events.
    pub events: bool,
}

/// The servers that a client needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Servers {
    #[default]
    NoMore,
    These(Vec<ServerId>),
    All,
}

/// Where things lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    pub config: PathBuf,
    pub state_dir: PathBuf,
    /// `keychain`, `file:PATH` or `memory`; `None` takes the holder's.
    pub secret_store: Option<String>,
}

/// What kind of program holds the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// It ends when its own work is done.
    Command,
    /// It has a window, and a person before it.
    App,
}

/// The first line of a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hello {
    pub protocol: u32,
    pub version: String,
    pub opening: Opening,
}

/// Every later line of a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub id: u64,
    pub request: Request,
}

/// A line of the holder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    /// The first line; with the snapshot where events are wanted.
    Welcome {
        holder: HolderKind,
        secret_store: String,
        snapshot: Option<Box<Snapshot>>,
    },
    /// The last line: why nothing more is heard.
    Refused(ErrorView),
    Replied {
        id: u64,
        outcome: Result<Reply, ErrorView>,
    },
    /// The holder is about to end, and did not begin with this.
    Moved {
        id: u64,
    },
    /// The holder ends, and everything that it began is done and answered.
    Ended,
    Event(Box<Event>),
    /// Events were lost on the way; this replaces all that was known.
    Anew(Box<Snapshot>),
}

impl Places {
    /// The first place in which a client's view and the engine's differ, in words for the person.
    pub(crate) fn difference(&self, options: &EngineOptions, store: &SecretStoreView) -> Option<String> {
        let differs = |ours: &Path, theirs: &Path| whole(ours) != whole(theirs);
        if differs(&self.config, &options.config) {
            return Some(format!("It uses the servers of {}.", options.config.display()));
        }
        if differs(&self.state_dir, &options.state_dir) {
            return Some(format!("It keeps what it learned in {}.", options.state_dir.display()));
        }
        let held = store_words(store);
        let same = match (&self.secret_store, held.strip_prefix("file:")) {
            (None, _) => true,
            (Some(wanted), Some(held)) => {
                wanted.strip_prefix("file:").is_some_and(|path| !differs(Path::new(path), Path::new(held)))
            }
            (Some(wanted), None) => *wanted == held,
        };
        (!same).then(|| format!("It keeps secrets in another place: {held}."))
    }
}

/// A store as the person says it on the command line.
pub(crate) fn store_words(store: &SecretStoreView) -> String {
    match store {
        SecretStoreView::Keychain { .. } => "keychain".to_owned(),
        SecretStoreView::File { path, .. } => format!("file:{path}"),
        SecretStoreView::Memory => "memory".to_owned(),
    }
}

/// A path without links and relative parts, as far as it exists.
fn whole(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute
        .ancestors()
        .find_map(|part| {
            let rest = absolute.strip_prefix(part).ok()?;
            let found = part.canonicalize().ok()?;
            Some(if rest.as_os_str().is_empty() { found } else { found.join(rest) })
        })
        .unwrap_or(absolute)
}

#[cfg(test)]
mod tests {
    use usher_secrets::StoreKind;

    use super::*;

    #[test]
    fn places_are_compared_by_what_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("state")).expect("a folder");
        let options = EngineOptions::new(at("mcp.json"), at("state"), at("run"), StoreKind::Keychain);
        let keychain = SecretStoreView::Keychain { error: None };
        let file = SecretStoreView::File { path: at("secrets").display().to_string(), error: None };
        let places = |config: &str, store: Option<String>| Places {
            config: at(config),
            state_dir: at("state/../state"),
            secret_store: store,
        };
        assert_eq!(places("mcp.json", None).difference(&options, &keychain), None);
        assert_eq!(places("./mcp.json", Some("keychain".into())).difference(&options, &keychain), None);
        let other = format!("file:{}", at("state/../secrets").display());
        assert_eq!(places("mcp.json", Some(other)).difference(&options, &file), None);

        let said = |places: Places, store| places.difference(&options, store).expect("a difference");
        assert!(said(places("other.json", None), &keychain).contains("mcp.json"));
        assert!(said(places("mcp.json", Some("memory".into())), &keychain).contains("keychain"));
        assert!(said(places("mcp.json", Some("keychain".into())), &file).contains("file:"));
        let elsewhere = Places { state_dir: at("elsewhere"), ..places("mcp.json", None) };
        assert!(said(elsewhere, &keychain).contains("state"));
    }
}
