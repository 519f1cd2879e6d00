//! The two eras of MCP: with the handshake `initialize`, and without a handshake (2026-07-28).

use crate::members::Members;
use crate::rpc::Failure;

/// The revisions that the gateway speaks with clients, newest first.
pub(crate) const REVISIONS: [&str; 5] = [MODERN, NEWEST_LEGACY, "2025-06-18", "2025-03-26", "2024-11-05"];
const MODERN: &str = "2026-07-28";
const NEWEST_LEGACY: &str = "2025-11-25";

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// The codes of errors in the metadata of a request.
const UNSUPPORTED_VERSION: i32 = -32022;
const INVALID_PARAMS: i32 = -32602;

/// The era of one request. A client may mix both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

impl Era {
    /// Determines the era from the metadata of a request. Fails if the metadata of a modern request is not valid.
    pub fn of_request(meta: Option<&Members<'_>>) -> Result<Self, Failure> {
        let Some(version) = meta.and_then(|meta| meta.get(VERSION)) else { return Ok(Self::Legacy) };
        let Ok(version) = serde_json::from_str::<String>(version) else {
            return Err(Failure::new(INVALID_PARAMS, format!("{VERSION} must be a string")));
        };
        if version != MODERN {
            let data = serde_json::json!({ "supported": REVISIONS, "requested": version });
            return Err(Failure::new(UNSUPPORTED_VERSION, "unsupported protocol version").with_data(data));
        }
        let capabilities = meta.and_then(|meta| meta.get(CAPABILITIES));
        if !capabilities.is_some_and(|capabilities| capabilities.starts_with('{')) {
            return Err(Failure::new(INVALID_PARAMS, format!("{CAPABILITIES} must be an object")));
        }
        Ok(Self::Modern)
    }

    /// Returns the revision for a client that asked for `requested` in `initialize`. Some clients refuse any other
    /// revision than the one they asked for.
    pub fn revision_for(requested: &str) -> &'static str {
        REVISIONS[1..].iter().find(|known| **known == requested).copied().unwrap_or(NEWEST_LEGACY)
    }

    /// Returns a result in the form that this era requires. `cacheable` results say how long they may be kept.
    pub fn result(self, json: &str, cacheable: bool) -> String {
        let Some(mut members) = Members::parse(json) else { return json.to_owned() };
        match self {
            Self::Legacy => {
                for name in ["resultType", "ttlMs", "cacheScope"] {
                    members.remove(name);
                }
            }
            Self::Modern => {
                let cache: &[(&str, &str)] =
                    if cacheable { &[("ttlMs", "0"), ("cacheScope", "\"private\"")] } else { &[] };
                for (name, default) in [("resultType", "\"complete\"")].iter().chain(cache) {
                    if members.get(name).is_none() || *name == "cacheScope" {
                        members.set(name, *default);
                    }
                }
            }
        }
        members.to_json()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn era(meta: &str) -> Result<Era, i32> {
        Era::of_request(Members::parse(meta).as_ref()).map_err(|failure| failure.code)
    }

    #[test]
    fn the_metadata_of_a_request_states_its_era() {
        let modern = format!(r#"{{"{VERSION}":"2026-07-28","{CAPABILITIES}":{{}}}}"#);
        assert_eq!(era(&modern), Ok(Era::Modern));
        assert_eq!(era("{}"), Ok(Era::Legacy));
        assert_eq!(Era::of_request(None).ok(), Some(Era::Legacy));
        assert_eq!(era(&modern.replace("2026", "2027")), Err(UNSUPPORTED_VERSION));
        assert_eq!(era(&modern.replace("\"2026-07-28\"", "1")), Err(INVALID_PARAMS));
        assert_eq!(era(&format!(r#"{{"{VERSION}":"2026-07-28"}}"#)), Err(INVALID_PARAMS));
    }

    #[test]
    fn a_known_revision_is_accepted_and_any_other_gets_the_newest_with_a_handshake() {
        for revision in &REVISIONS[1..] {
            assert_eq!(Era::revision_for(revision), *revision);
        }
        for other in ["2026-07-28", "2099-01-01", ""] {
            assert_eq!(Era::revision_for(other), NEWEST_LEGACY);
        }
    }

    #[test]
    fn a_result_has_the_members_of_the_clients_era() {
        let modern = r#"{"resultType":"complete","tools":[],"ttlMs":5,"cacheScope":"public"}"#;
        assert_eq!(Era::Legacy.result(modern, true), r#"{"tools":[]}"#);
        assert_eq!(
            Era::Modern.result(modern, true),
            r#"{"resultType":"complete","tools":[],"ttlMs":5,"cacheScope":"private"}"#
        );
        assert_eq!(
            Era::Modern.result(r#"{"tools":[]}"#, true),
            r#"{"tools":[],"resultType":"complete","ttlMs":0,"cacheScope":"private"}"#
        );
        assert_eq!(
            Era::Modern.result(r#"{"content":[]}"#, false),
            r#"{"content":[],"resultType":"complete"}"#
        );
    }
}
