//! The device authorization response (RFC 8628 §3.2): the codes, and the addresses of the page.

use std::time::Duration;

use secrecy::SecretString;
use usher_budgets as budgets;

use crate::display_text::visible_text;
use crate::json_document::Document;
use crate::site::is_same_site;
use crate::token_response::is_usable;
use crate::{Endpoint, ErrorKind};

/// The lifetime of the codes if the server names none.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(5 * 60);

pub(crate) struct DeviceResponse {
    pub(crate) device_code: SecretString,
    pub(crate) user_code: String,
    pub(crate) verification_uri: Endpoint,
    /// The address that already contains the user code.
    pub(crate) verification_uri_complete: Option<Endpoint>,
    pub(crate) lifetime: Duration,
    /// The number of seconds between two polls.
    pub(crate) interval: Option<u64>,
}

impl DeviceResponse {
    pub(crate) fn parse(document: &Document) -> Result<Self, ErrorKind> {
        let malformed = |what: &str| ErrorKind::Malformed { what: what.to_owned() };
        let device_code = document.string("device_code").ok_or_else(|| malformed("it has no device code"))?;
        if !is_usable(device_code) {
            return Err(malformed("its device code is too long or not plain text"));
        }
        let user_code = document.string("user_code").ok_or_else(|| malformed("it has no user code"))?;
        // The person types it, so it must look like what it is.
        if user_code.chars().count() > budgets::USER_CODE_CHARACTERS || visible_text(user_code) != user_code {
            return Err(malformed("its user code is too long or not plain text"));
        }
        // Google uses the older names.
        let address = document.string("verification_uri").or(document.string("verification_url"));
        let address = address.ok_or_else(|| malformed("it has no address to enter the code at"))?;
        let verification_uri = Endpoint::parse("the page for the code", address)?;
        let complete = ["verification_uri_complete", "verification_url_complete"]
            .iter()
            .find_map(|name| document.string(name))
            .and_then(|raw| Endpoint::parse("the page for the code", raw).ok())
            .filter(|complete| is_same_site(complete.url(), verification_uri.url()));
        let lifetime = document.seconds("expires_in").map_or(DEFAULT_LIFETIME, Duration::from_secs);
        Ok(DeviceResponse {
            device_code: device_code.into(),
            user_code: user_code.to_owned(),
            verification_uri,
            verification_uri_complete: complete,
            lifetime: lifetime.min(budgets::LONGEST_DEVICE_SIGN_IN),
            interval: document.seconds("interval"),
        })
    }
}
