//! The parameters of an OAuth request, from a query or a form (RFC 6749 §3.1 and §3.2).

use super::error::OAuthError;

/// Parameters in order, without those whose value is empty.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn parse(encoded: &[u8]) -> Parameters {
        let pairs = url::form_urlencoded::parse(encoded);
        Parameters(pairs.into_owned().filter(|(_, value)| !value.is_empty()).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Like [`Parameters::get`], but returns an error if the parameter is missing.
    pub(crate) fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::invalid_request(format!("{name} is missing")))
    }

    /// Whether a parameter is repeated, which is never allowed.
    pub(crate) fn repeats(&self, name: &str) -> bool {
        self.0.iter().filter(|(key, _)| key == name).count() > 1
    }

    /// The first repeated parameter.
    pub(crate) fn repeated(&self) -> Option<&str> {
        self.0.iter().map(|(key, _)| key.as_str()).find(|key| self.repeats(key))
    }
}
