//! `usher man FOLDER`: writes the man pages, for packages.

use std::path::Path;

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::exit::{CommandError, internal};

/// Writes `usher.1` and a page for each command to an existing folder.
pub fn run(folder: &Path) -> Result<(), CommandError> {
    clap_mangen::generate_to(Arguments::command(), folder)
        .map_err(|error| internal(format!("Could not write the man pages to {}: {error}.", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visible_command_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path()).unwrap();
        let mut command = Arguments::command();
        command.build();
        let visible = command.get_subcommands().filter(|command| !command.is_hide_set());
        for page in visible.map(|command| format!("usher-{}.1", command.get_name())) {
            assert!(folder.path().join(&page).is_file(), "{page}");
        }
        assert!(!folder.path().join("usher-man.1").exists());
        let page = std::fs::read_to_string(folder.path().join("usher.1")).unwrap();
        assert!(page.contains("Sign in to the services your AI tools use"), "{page}");
    }
}
