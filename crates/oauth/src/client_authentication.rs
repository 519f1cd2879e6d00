//! Client authentication at the endpoints of an authorization server (RFC 6749 §2.3).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{self, HeaderMap, HeaderValue};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::client_assertion::{self, client_assertion};
use crate::{AuthMethod, ErrorKind, SigningKey};

/// The parameters of a request in `application/x-www-form-urlencoded`.
#[derive(Default)]
pub(crate) struct Form(String);

impl Form {
    pub(crate) fn append_pair(&mut self, name: &str, value: &str) -> &mut Self {
        let mut serializer = Serializer::for_suffix(std::mem::take(&mut self.0), 0);
        self.0 = serializer.append_pair(name, value).finish();
        self
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

/// The identity of a client, and how it proves it.
#[derive(Clone, Copy)]
pub(crate) struct ClientAuthentication<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) method: AuthMethod,
    pub(crate) secret: Option<&'a SecretString>,
    /// The key of a client that signs assertions.
    pub(crate) key: Option<AssertionKey<'a>>,
}

/// The inputs of an assertion.
#[derive(Clone, Copy)]
pub(crate) struct AssertionKey<'a> {
    pub(crate) key: &'a SigningKey,
    pub(crate) audience: &'a str,
    pub(crate) now: Timestamp,
}

impl ClientAuthentication<'_> {
    /// Adds the client ID, and the proof if the method needs one. Returns a secret of the request that the caller does not
    /// know yet.
    pub(crate) fn apply(
        self,
        headers: &mut HeaderMap,
        form: &mut Form,
    ) -> Result<Option<SecretString>, ErrorKind> {
        let secret = || self.secret.map(ExposeSecret::expose_secret).ok_or(ErrorKind::ClientSecretMissing);
        // An assertion names the client. With Basic, some servers read the client ID only from the form.
        if self.method != AuthMethod::PrivateKeyJwt && !self.client_id.is_empty() {
            form.append_pair("client_id", self.client_id);
        }
        match self.method {
            AuthMethod::None => {}
            AuthMethod::PrivateKeyJwt => {
                let what = "a private key";
                let AssertionKey { key, audience, now } =
                    self.key.ok_or(ErrorKind::SettingMissing { what })?;
                let assertion = client_assertion(key, self.client_id, audience, now)?;
                form.append_pair("client_assertion_type", client_assertion::TYPE)
                    .append_pair("client_assertion", assertion.expose_secret());
                return Ok(Some(assertion));
            }
            AuthMethod::ClientSecretPost => {
                form.append_pair("client_secret", secret()?);
            }
            AuthMethod::ClientSecretBasic => {
                headers.insert(header::AUTHORIZATION, basic(self.client_id, secret()?));
            }
        }
        Ok(None)
    }
}

/// The headers of a request with a form.
pub(crate) fn form_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        (header::ACCEPT, HeaderValue::from_static("application/json")),
    ])
}

/// Returns the header value of HTTP Basic authentication. It is always valid, because both parts are form-encoded first
/// (RFC 6749 §2.3.1).
fn basic(client_id: &str, secret: &str) -> HeaderValue {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = BASE64_STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret)));
    let mut value =
        HeaderValue::from_str(&format!("Basic {credentials}")).unwrap_or(HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}
