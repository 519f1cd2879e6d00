//! Changes to the text of `mcp.json`.

use url::Url;

use crate::Redirect;

/// A server to add.
#[derive(Clone, Debug)]
pub struct NewServer {
    pub transport: NewTransport,
    pub client_id: Option<String>,
    /// A reference such as `{{corp_secret}}`; a secret itself belongs into the secret store.
    pub client_secret: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub redirect: Redirect,
}

/// What is added.
#[derive(Clone, Debug)]
pub enum NewTransport {
    /// Header values are templates.
    Http {
        url: Url,
        headers: Vec<(String, String)>,
    },
    Stdio {
        command: String,
        args: Vec<String>,
    },
}

impl NewServer {
    /// A server at an address, with nothing special.
    pub fn http(url: Url) -> Self {
        Self {
            transport: NewTransport::Http { url, headers: Vec::new() },
            client_id: None,
            client_secret: None,
            scopes: None,
            redirect: Redirect::Auto,
        }
    }
}
