//! Environment variables as a value, so that tests can pass their own variables.

use std::collections::HashMap;
use std::path::PathBuf;

/// Variables by name. Values may be secret, so `Debug` shows only the number of variables.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// Returns the environment of this process, without variables that are not Unicode.
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// Returns the value of a variable, which may be empty, or `None` if the variable is not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns the variables that `condition` accepts.
    pub fn filtered(&self, condition: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, _)| condition(name)).map(|(n, v)| (n.clone(), v.clone())).collect())
    }

    /// Returns a variable as a path, if it is absolute. The XDG base directory specification ignores relative paths.
    pub(crate) fn absolute_path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}
