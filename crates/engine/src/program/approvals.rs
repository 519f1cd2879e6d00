//! The programs that the person has approved.
//!
//! The file contains what the person saw, and digests, but no values of environment variables. It is in the state
//! folder, like the allowed origins: a program that can change only `mcp.json` cannot approve anything.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use usher_api::{LaunchView, ServerId};

use super::launch::Launch;
use crate::state_file::{self, StateFile};

const VERSION: u32 = 1;

/// The approvals. Clones share one file.
#[derive(Clone, Debug)]
pub(crate) struct Approvals(Arc<StateFile<Contents>>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    programs: BTreeMap<ServerId, Approval>,
}

impl state_file::Contents for Contents {
    const FILE: &'static str = "approvals.json";
    /// A hundred programs need 100 kB.
    const LARGEST: u64 = 4 * 1024 * 1024;

    fn is_current(&self) -> bool {
        self.version == VERSION
    }

    fn first() -> Self {
        Self { version: VERSION, programs: BTreeMap::new() }
    }

    fn after_damage() -> Self {
        Self::first()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Approval {
    launch: LaunchView,
    /// The digest of each environment variable's text.
    variables: BTreeMap<String, String>,
}

/// A launch that the person has approved. Only [`Approvals`] creates one, and a program gets secrets only with one.
pub(crate) struct Approved<'a>(&'a Launch);

impl Approved<'_> {
    pub fn launch(&self) -> &Launch {
        self.0
    }
}

impl Approvals {
    /// Reads the file. If it cannot be parsed, nothing is approved.
    pub fn open(state_dir: &Path) -> io::Result<Self> {
        let (file, _existed) = StateFile::open(state_dir)?;
        Ok(Self(Arc::new(file)))
    }

    /// Returns the launch as an approved one, if the person has approved exactly this launch for this server.
    pub fn approved<'a>(&self, server: &ServerId, launch: &'a Launch) -> Option<Approved<'a>> {
        self.has(server, &launch.digest()).then_some(Approved(launch))
    }

    pub fn has(&self, server: &ServerId, digest: &str) -> bool {
        self.0.lock().programs.get(server).is_some_and(|approval| approval.launch.digest == digest)
    }

    /// Returns the launch that was approved before, and the variables whose values have changed since.
    pub fn earlier(&self, server: &ServerId, launch: &Launch) -> Option<(LaunchView, Vec<String>)> {
        let contents = self.0.lock();
        let approval = contents.programs.get(server)?;
        let changed = launch.variable_digests().into_iter().filter_map(|(name, digest)| {
            let before = approval.variables.get(&name)?;
            (*before != digest).then_some(name)
        });
        Some((approval.launch.clone(), changed.collect()))
    }

    /// Stores the person's approval, and returns once it is on disk.
    pub async fn store(&self, server: &ServerId, launch: &Launch) -> io::Result<()> {
        let approval =
            Approval { launch: launch.view(), variables: launch.variable_digests().into_iter().collect() };
        self.0.change(|contents| drop(contents.programs.insert(server.clone(), approval))).await
    }
}

#[cfg(test)]
mod tests {
    use usher_config::Template;

    use super::*;

    fn launch(command: &str, key: &str) -> Launch {
        let template = |text: &str| Template::parse(text).expect("a template");
        let env = vec![("KEY".to_owned(), template(key))];
        Launch { command: template(command), args: Vec::new(), env, cwd: None }
    }

    #[tokio::test]
    async fn an_approval_is_for_one_launch_of_one_server() {
        let folder = tempfile::tempdir().expect("create a folder");
        let (notes, other) = (ServerId("notes".to_owned()), ServerId("other".to_owned()));
        let approvals = Approvals::open(folder.path()).expect("open");
        assert!(approvals.approved(&notes, &launch("notes", "a")).is_none());
        approvals.store(&notes, &launch("notes", "a")).await.expect("write");

        let approvals = Approvals::open(folder.path()).expect("open again");
        assert!(approvals.approved(&notes, &launch("notes", "a")).is_some());
        assert!(approvals.approved(&other, &launch("notes", "a")).is_none());
        assert!(approvals.approved(&notes, &launch("evil", "a")).is_none());
        assert!(approvals.approved(&notes, &launch("notes", "{{key}}")).is_none());
        let (earlier, changed) = approvals.earlier(&notes, &launch("notes", "{{key}}")).expect("an approval");
        assert_eq!((earlier.command.as_str(), changed), ("notes", vec!["KEY".to_owned()]));
    }

    #[tokio::test]
    async fn a_damaged_file_approves_nothing() {
        let folder = tempfile::tempdir().expect("create a folder");
        let notes = ServerId("notes".to_owned());
        let approvals = Approvals::open(folder.path()).expect("open");
        approvals.store(&notes, &launch("notes", "a")).await.expect("write");
        std::fs::write(folder.path().join("approvals.json"), "{").expect("damage the file");
        let approvals = Approvals::open(folder.path()).expect("open again");
        assert!(approvals.approved(&notes, &launch("notes", "a")).is_none());
        assert!(folder.path().join("approvals.json.broken").exists());
        approvals.store(&notes, &launch("notes", "a")).await.expect("write again");
    }
}
