//! The private parsers of this crate, for `tests/fuzz` only. Normal builds compile this module too, so that it stays
//! valid.

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use crate::echo::Sent;
use crate::http_client::Response;
use crate::json_document::Document;
use crate::{
    AuthorizationServerMetadata, ErrorKind, Flow, Issuer, ProtectedResourceMetadata, ServerUrl,
    token_response,
};

/// Parses the metadata of a protected resource.
pub fn resource_metadata(body: &[u8], server: &ServerUrl) -> Result<ProtectedResourceMetadata, ErrorKind> {
    ProtectedResourceMetadata::parse(&Document::parse(body)?, server)
}

/// Parses the metadata of an authorization server.
pub fn server_metadata(body: &[u8], issuer: &Issuer) -> Result<AuthorizationServerMetadata, ErrorKind> {
    AuthorizationServerMetadata::parse(&Document::parse(body)?, issuer, Flow::Browser)
}

/// Parses a response of a token endpoint to a request with these secrets. Returns the access token.
pub fn token_response<'a>(
    status: u16,
    body: &[u8],
    secrets: impl IntoIterator<Item = &'a str>,
) -> Result<String, ErrorKind> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let response = Response { status, headers: HeaderMap::new(), body: body.to_vec(), proof: None };
    let parsed = token_response::parse(&response, &Sent::new(secrets), Timestamp::UNIX_EPOCH);
    parsed.map(|parsed| parsed.access_token.expose().to_owned())
}
