//! The contents of the file of learned data: read as far as possible, and written within a limit.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_api::{RedirectKind, ServerId};
use usher_budgets as budgets;
use usher_oauth::{ClientRegistration, Discovered, ForeignEndpoints, Issuer, NetworkZone, Quirks};

use crate::server_key::ServerKey;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Contents {
    pub version: u32,
    /// The servers, by [`ServerKey`].
    #[serde(default)]
    pub servers: BTreeMap<String, LearnedServer>,
    /// The issuers, by identifier.
    #[serde(default)]
    pub issuers: BTreeMap<String, LearnedIssuer>,
    /// The servers that the person forbade to ask questions.
    #[serde(default)]
    pub questions_blocked: BTreeSet<ServerId>,
    /// The servers without a person from which the person signed out. They are not signed in automatically.
    #[serde(default)]
    pub signed_out: BTreeSet<ServerId>,
    /// The sign-ins that wait for another device, with the time at which the code expires. The secret store has the rest.
    #[serde(default)]
    pub device_sign_ins: BTreeMap<ServerId, Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LearnedServer {
    /// The discovered metadata; `None` before discovery, and after a step found the metadata stale.
    pub discovered: Option<Discovered>,
    /// The `resource_metadata` of the challenge that led to the metadata.
    pub challenge: Option<String>,
    /// The pre-registered client, with the first issuer that it was used with.
    pub client: Option<PinnedClient>,
    /// The pre-registered clients of other accounts at this address, each with its issuer.
    #[serde(default)]
    pub other_clients: Vec<PinnedClient>,
    /// The entries that do not use this metadata again, because the person chose to forget it for them only.
    #[serde(default)]
    pub forgotten_by: BTreeSet<ServerId>,
    /// The endpoints of another site that the person confirmed.
    #[serde(default)]
    pub confirmed_endpoints: Option<ForeignEndpoints>,
    /// The network zone in which the server was last reached.
    #[serde(default, rename = "reach")]
    pub zone: Option<NetworkZone>,
    /// The `resource_metadata` of the challenge of a call that was refused without a token, or an empty text. The server
    /// itself needs no sign-in.
    #[serde(default)]
    pub call_challenge: Option<String>,
    /// The MCP revision of the last handshake with `initialize`, if the server rejects newer ones.
    #[serde(default)]
    pub revision: Option<String>,
    /// Whether the server uses HTTP+SSE, if the transport that its entry names had failed.
    #[serde(default)]
    pub uses_sse: Option<bool>,
    /// Whether the server is a program that never answers `server/discover`.
    #[serde(default)]
    pub ignores_discovery: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PinnedClient {
    pub client_id: String,
    pub issuer: Issuer,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LearnedIssuer {
    /// The redirect of the last successful sign-in.
    pub redirect: Option<RedirectKind>,
    #[serde(default)]
    pub registrations: Vec<ClientRegistration>,
    /// The entries that do not use a client again, because the person chose to forget it for them only.
    #[serde(default)]
    pub forgotten_by: BTreeMap<String, BTreeSet<ServerId>>,
    #[serde(default)]
    pub quirks: Quirks,
}

impl LearnedServer {
    /// Returns the pre-registered clients, each with the first issuer that it was used with.
    pub fn clients(&self) -> impl Iterator<Item = &PinnedClient> {
        self.client.iter().chain(&self.other_clients)
    }
}

impl LearnedIssuer {
    pub fn has_forgotten(&self, server: &ServerId, client_id: &str) -> bool {
        self.forgotten_by.get(client_id).is_some_and(|servers| servers.contains(server))
    }
}

/// The version of the file.
const VERSION: u32 = 1;

impl Contents {
    pub fn server(&mut self, server: &ServerKey) -> &mut LearnedServer {
        self.servers.entry(server.key.clone()).or_default()
    }

    pub fn mark_current(&mut self) {
        self.version = VERSION;
    }

    /// Parses the file. If it cannot be parsed or has another version, returns what protects a client or a grant and can
    /// still be read: the issuers of pre-registered clients, the network zones, the servers that may ask no questions, and
    /// those from which the person signed out.
    pub fn read(bytes: &[u8]) -> Result<Self, Box<Self>> {
        match serde_json::from_slice::<Self>(bytes) {
            Ok(contents) if contents.version == VERSION => Ok(contents),
            Ok(_) | Err(_) => Err(Box::new(Self::salvaged(bytes))),
        }
    }

    fn salvaged(bytes: &[u8]) -> Self {
        let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let servers = document["servers"].as_object().into_iter().flatten().map(|(key, fields)| {
            let server = LearnedServer {
                client: PinnedClient::deserialize(&fields["client"]).ok(),
                other_clients: Vec::deserialize(&fields["other_clients"]).unwrap_or_default(),
                zone: NetworkZone::deserialize(&fields["reach"]).ok(),
                ..LearnedServer::default()
            };
            (key.clone(), server)
        });
        let questions_blocked = BTreeSet::deserialize(&document["questions_blocked"]).unwrap_or_default();
        let signed_out = BTreeSet::deserialize(&document["signed_out"]).unwrap_or_default();
        let servers = servers.collect();
        Self { version: VERSION, servers, questions_blocked, signed_out, ..Self::default() }
    }

    /// Returns the text of the file. If it is too long, leaves out the largest metadata, and then the registrations. They
    /// can be learned again, unlike the issuers of pre-registered clients.
    pub fn to_file(&self) -> serde_json::Result<Vec<u8>> {
        let text = serde_json::to_vec_pretty(self)?;
        let Some(excess) = text.len().checked_sub(budgets::LEARNED_BYTES) else { return Ok(text) };
        let mut smaller = self.clone();
        let size =
            |server: &LearnedServer| serde_json::to_vec(&server.discovered).map_or(0, |text| text.len());
        let mut servers: Vec<_> = smaller.servers.values_mut().map(|server| (size(server), server)).collect();
        servers.sort_by_key(|(size, _)| Reverse(*size));
        let mut left = excess;
        for (size, server) in servers {
            if left == 0 {
                break;
            }
            server.discovered = None;
            left = left.saturating_sub(size);
        }
        if left > 0 {
            smaller.issuers.values_mut().for_each(|issuer| issuer.registrations.clear());
        }
        serde_json::to_vec_pretty(&smaller)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn discovered(scopes: usize) -> Value {
        json!({
            "resource": "https://mcp.example.com/mcp", "sends_resource": true, "source": "resource_metadata",
            "scopes": [],
            "metadata": {
                "issuer": "https://as.example.com",
                "authorization_endpoint": "https://as.example.com/authorize",
                "token_endpoint": "https://as.example.com/token",
                "scopes_supported": vec!["a-scope-of-this-service"; scopes],
                "code_challenge_methods_supported": [],
                "client_id_metadata_document_supported": false,
                "authorization_response_iss_parameter_supported": false,
            },
        })
    }

    fn server(discovered: Value) -> Value {
        let client = json!({ "client_id": "mine", "issuer": "https://as.example.com" });
        json!({ "discovered": discovered, "challenge": null, "client": client, "reach": "public" })
    }

    fn clients(contents: &Contents) -> usize {
        contents.servers.values().filter(|server| server.client.is_some()).count()
    }

    #[test]
    fn a_file_that_would_be_too_long_loses_the_largest_metadata_and_no_pinned_issuer() {
        let servers: serde_json::Map<_, _> = (0..40)
            .map(|number| (format!("https://{number}.example"), server(discovered(number * 1000))))
            .collect();
        let all = json!({ "version": VERSION, "servers": servers, "issuers": {} });
        let contents = Contents::read(all.to_string().as_bytes()).expect("valid contents");
        let text = contents.to_file().expect("a text");
        assert!(all.to_string().len() > budgets::LEARNED_BYTES, "the test needs more data");
        assert!(text.len() <= budgets::LEARNED_BYTES, "{}", text.len());
        let read = Contents::read(&text).expect("valid contents");
        assert_eq!(clients(&read), 40);
        let is_known =
            |number: usize| read.servers[&format!("https://{number}.example")].discovered.is_some();
        assert!(is_known(0) && !is_known(39));
    }

    #[test]
    fn a_file_that_cannot_be_parsed_keeps_the_pinned_issuers() {
        let mut broken = server(json!("nonsense"));
        for document in [
            json!({ "version": VERSION, "servers": { "https://a.example": broken.clone() } }),
            json!({ "version": VERSION + 1, "servers": { "https://a.example": server(discovered(1)) } }),
            json!({ "version": VERSION, "issuers": 7, "servers": { "https://a.example": server(Value::Null) } }),
        ] {
            let salvaged = Contents::read(document.to_string().as_bytes()).expect_err("invalid contents");
            assert_eq!(clients(&salvaged), 1, "{document}");
            assert_eq!(salvaged.servers["https://a.example"].zone, Some(NetworkZone::Public), "{document}");
            assert_eq!(salvaged.servers["https://a.example"].discovered, None, "{document}");
        }
        broken["client"] = json!(7);
        for text in
            [json!({ "servers": { "https://a.example": broken } }).to_string(), "{".to_owned(), String::new()]
        {
            assert_eq!(clients(&Contents::read(text.as_bytes()).expect_err("invalid contents")), 0, "{text}");
        }
    }
}
