//! The registered clients and their authorization codes.

use std::collections::HashMap;

#[derive(Default)]
pub(crate) struct Clients {
    pub redirect_uris: HashMap<String, Vec<String>>,
    pub codes: HashMap<String, Code>,
}

pub(crate) struct Code {
    pub client_id: String,
    pub redirect_uri: String,
    /// The `S256` challenge of the verifier (RFC 7636).
    pub challenge: String,
}
