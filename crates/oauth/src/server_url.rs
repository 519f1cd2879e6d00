//! The URL of an MCP server: the protected resource.

use std::fmt;

use url::Url;

use crate::endpoint::{check, is_address_character};
use crate::{Error, ErrorKind, Step};

/// An https URL, or an http URL with a loopback host. It has no userinfo and no fragment. A query is allowed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ServerUrl(Url);

impl ServerUrl {
    /// Parses a URL. It may contain characters that an [`Endpoint`](crate::Endpoint) must not contain, because the
    /// person chose the URL.
    pub fn parse(raw: &str) -> Result<Self, Error> {
        let bad = |why| ErrorKind::BadEndpoint { name: "the service".to_owned(), why };
        let checked = check(raw.trim(), is_address_character).map(ServerUrl);
        checked.map_err(|why| Error::new(Step::Probe, None, bad(why)))
    }

    pub fn url(&self) -> &Url {
        &self.0
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host without the port, for display and errors.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The URL as a resource identifier, for a server that publishes none.
    pub(crate) fn as_resource(&self) -> String {
        let mut url = self.0.clone();
        url.set_query(None);
        url.as_str().trim_end_matches('/').to_owned()
    }

    /// Whether `resource` identifies this server (RFC 9728 §3.3, relaxed by MCP). It must have the same origin, no
    /// user name and no fragment, and its path must be a prefix of this server's path. Queries are ignored.
    pub fn is_covered_by(&self, resource: &str) -> bool {
        let Ok(resource) = Url::parse(resource) else { return false };
        let with_slash = |path: &str| format!("{}/", path.trim_end_matches('/'));
        resource.origin() == self.0.origin()
            && resource.fragment().is_none()
            && resource.username().is_empty()
            && with_slash(self.0.path()).starts_with(&with_slash(resource.path()))
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerUrl({}{})", self.0.origin().ascii_serialization(), self.0.path())
    }
}
