//! Parses sign-in settings: `oauth`, and other clients' `auth` and `oauth_client_id`.

use std::path::PathBuf;

use jsonc_parser::ast::ObjectProp;
use url::Url;

use super::address::read_address;
use super::reader::{Reader, display_name};
use super::spellings;
use crate::{Endpoints, Flow, IdentityProviderSettings, OAuthSettings, Redirect, Template};

const MAX_PARAMETERS: usize = 20;
const MAX_PARAMETER_NAME_BYTES: usize = 100;
const MAX_PARAMETER_CHARS: usize = 1000;

/// The parameters that `oauth.parameters` must not set, with the setting to use instead, if there is one. The others
/// protect the sign-in, or select the grant type.
const PROTECTED_PARAMETERS: [(&str, Option<&str>); 23] = [
    ("assertion", None),
    ("audience", Some("audience")),
    ("client_assertion", None),
    ("client_assertion_type", None),
    ("client_id", Some("clientId")),
    ("client_secret", Some("clientSecret")),
    ("code", None),
    ("code_challenge", None),
    ("code_challenge_method", None),
    ("code_verifier", None),
    ("device_code", None),
    ("dpop_jkt", None),
    ("grant_type", Some("flow")),
    ("prompt", Some("prompt")),
    ("redirect_uri", Some("redirect")),
    ("refresh_token", None),
    ("request", None),
    ("request_uri", None),
    ("resource", None),
    ("response_mode", None),
    ("response_type", None),
    ("scope", Some("scopes")),
    ("state", None),
];

#[derive(Default)]
pub(crate) struct OAuthFields {
    client_id: Option<String>,
    client_secret: Option<Template>,
    private_key: Option<Template>,
    signing_algorithm: Option<String>,
    key_id: Option<String>,
    assertion_audience: Option<String>,
    assertion: Option<Template>,
    assertion_file: Option<String>,
    identity_provider: Option<IdentityProviderSettings>,
    scopes: Option<Vec<String>>,
    redirect: Option<Redirect>,
    flow: Option<Flow>,
    authorization_url: Option<Url>,
    token_url: Option<Url>,
    device_authorization_url: Option<Url>,
    audience: Option<String>,
    prompt: Option<String>,
    parameters: Option<Vec<(String, String)>>,
    allow_missing_pkce: Option<bool>,
    client_metadata_url: Option<Url>,
    /// The names of entries with an error. They are not also reported as missing.
    invalid: Vec<String>,
}

/// Reads `oauth`, `auth` or `oauth_client_id`.
pub(crate) fn read(reader: &mut Reader<'_>, entry: &ObjectProp<'_>, fields: &mut OAuthFields) {
    if entry.name.as_str() == "oauth_client_id" {
        reader.warn_alias(entry, "oauth.clientId");
        reader.set(&mut fields.client_id, entry, Reader::resolved);
        return;
    }
    let Some(object) = reader.object(entry) else { return };
    for prop in reader.entries(object) {
        let errors_before = reader.errors.len();
        read_field(reader, prop, fields);
        if reader.errors.len() > errors_before {
            fields.invalid.push(spellings::oauth_field(prop.name.as_str()).to_owned());
        }
    }
}

fn read_field(reader: &mut Reader<'_>, prop: &ObjectProp<'_>, fields: &mut OAuthFields) {
    let written = prop.name.as_str();
    let name = spellings::oauth_field(written);
    if name != written {
        reader.warn_alias(prop, name);
    }
    match name {
        "clientId" => reader.set(&mut fields.client_id, prop, Reader::resolved),
        "clientSecret" => reader.set(&mut fields.client_secret, prop, read_secret),
        "privateKey" => reader.set(&mut fields.private_key, prop, read_secret),
        "signingAlgorithm" => reader.set(&mut fields.signing_algorithm, prop, Reader::resolved),
        "keyId" => reader.set(&mut fields.key_id, prop, Reader::resolved),
        "assertionAudience" => reader.set(&mut fields.assertion_audience, prop, Reader::resolved),
        "assertion" => reader.set(&mut fields.assertion, prop, read_secret),
        "assertionFile" => reader.set(&mut fields.assertion_file, prop, Reader::resolved),
        "identityProvider" => reader.set(&mut fields.identity_provider, prop, read_identity_provider),
        "scopes" => reader.set(&mut fields.scopes, prop, read_scopes),
        "redirect" => reader.set(&mut fields.redirect, prop, read_word),
        "flow" => reader.set(&mut fields.flow, prop, read_word),
        "authorizationUrl" => reader.set(&mut fields.authorization_url, prop, read_address),
        "tokenUrl" => reader.set(&mut fields.token_url, prop, read_address),
        "deviceAuthorizationUrl" => reader.set(&mut fields.device_authorization_url, prop, read_address),
        "audience" => reader.set(&mut fields.audience, prop, Reader::resolved),
        "prompt" => reader.set(&mut fields.prompt, prop, |reader, prop| {
            // OpenID Connect's `none` forbids the page to ask anything, so no sign-in could use it.
            reader.resolved(prop).map(|prompt| if prompt == "none" { String::new() } else { prompt })
        }),
        "parameters" => reader.set(&mut fields.parameters, prop, read_parameters),
        "allowMissingPkce" => reader.set(&mut fields.allow_missing_pkce, prop, Reader::boolean),
        "clientMetadataUrl" => reader.set(&mut fields.client_metadata_url, prop, read_address),
        "token_store" => {
            let message = "`token_store` is not used: Usher stores tokens in its own secret store";
            reader.warn(prop, message, "You can keep it for other programs.");
        }
        "callbackPort" => {
            let message = "`callbackPort` is not used: Usher needs no fixed callback port";
            reader.warn(prop, message, "Use `redirect` to choose another return method.");
        }
        _ => reader.warn_unknown(prop),
    }
}

fn read_word<T: std::str::FromStr<Err = String>>(
    reader: &mut Reader<'_>,
    prop: &ObjectProp<'_>,
) -> Option<T> {
    let word = reader.string(prop)?;
    word.parse().map_err(|why: String| reader.error(&prop.value, why, "")).ok()
}

fn read_parameters(reader: &mut Reader<'_>, entry: &ObjectProp<'_>) -> Option<Vec<(String, String)>> {
    let object = reader.object(entry)?;
    let mut parameters = Vec::new();
    for prop in reader.entries(object) {
        let (name, shown) = (prop.name.as_str(), display_name(prop.name.as_str()));
        let protected =
            PROTECTED_PARAMETERS.iter().find(|(protected, _)| protected.eq_ignore_ascii_case(name));
        if let Some((_, setting)) = protected {
            let hint = match setting {
                Some(setting) => format!("Remove it, and use `oauth.{setting}` instead."),
                None => "Remove it.".to_owned(),
            };
            reader.error(prop, format!("the parameter `{shown}` is set by Usher"), hint);
            continue;
        }
        let is_name = name.bytes().all(|byte| byte.is_ascii_graphic()) && !name.is_empty();
        if !is_name || name.len() > MAX_PARAMETER_NAME_BYTES {
            let hint = "A name has up to 100 letters, digits and `_`.";
            reader.error(prop, format!("`{shown}` is not a valid parameter name"), hint);
            continue;
        }
        let Some(value) = reader.resolved(prop) else { continue };
        if value.chars().count() > MAX_PARAMETER_CHARS {
            let message = format!("the parameter `{shown}` is longer than {MAX_PARAMETER_CHARS} characters");
            reader.error(&prop.value, message, "Shorten it.");
            continue;
        }
        parameters.push((name.to_owned(), value));
    }
    if parameters.len() > MAX_PARAMETERS {
        let message = format!("there are more than {MAX_PARAMETERS} parameters");
        reader.error(&entry.value, message, "Remove some.");
        return None;
    }
    Some(parameters)
}

fn read_secret(reader: &mut Reader<'_>, prop: &ObjectProp<'_>) -> Option<Template> {
    let secret = reader.template(prop)?;
    if !secret.has_placeholders() {
        let hint = "Store it with `usher secret set NAME` and write {{NAME}} here.";
        let name = spellings::oauth_field(prop.name.as_str());
        reader.warn(&prop.value, format!("the {} is in plain text", secret_name(name)), hint);
    }
    Some(secret)
}

/// Returns what people call a secret setting.
fn secret_name(setting: &str) -> &str {
    match setting {
        "privateKey" => "private key",
        "assertion" => "assertion",
        "idToken" => "ID token",
        _ => "client secret",
    }
}

fn read_identity_provider(
    reader: &mut Reader<'_>,
    prop: &ObjectProp<'_>,
) -> Option<IdentityProviderSettings> {
    let object = reader.object(prop)?;
    let (mut token, mut client_id, mut client_secret, mut id_token) = (None, None, None, None);
    let errors_before = reader.errors.len();
    for field in reader.entries(object) {
        match field.name.as_str() {
            "tokenUrl" => reader.set(&mut token, field, read_address),
            "clientId" => reader.set(&mut client_id, field, Reader::resolved),
            "clientSecret" => reader.set(&mut client_secret, field, read_secret),
            "idToken" => reader.set(&mut id_token, field, read_secret),
            _ => reader.warn_unknown(field),
        }
    }
    let (Some(token), Some(client_id), Some(id_token)) = (token, client_id, id_token) else {
        if reader.errors.len() == errors_before {
            let hint = "Add \"tokenUrl\", \"clientId\" and \"idToken\".";
            reader.error(&prop.name, "the identity provider is incomplete", hint);
        }
        return None;
    };
    Some(IdentityProviderSettings { token, client_id, client_secret, id_token })
}

/// Reads a list of scopes, or one string with the scopes separated by spaces.
fn read_scopes(reader: &mut Reader<'_>, prop: &ObjectProp<'_>) -> Option<Vec<String>> {
    let scopes: Vec<String> = if prop.value.as_string_lit().is_some() {
        reader.string(prop)?.split_whitespace().map(str::to_owned).collect()
    } else {
        reader.strings(prop)?
    };
    // RFC 6749 §3.3: printable ASCII except space, quote and backslash.
    let is_valid = |scope: &String| {
        !scope.is_empty()
            && scope.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    if !scopes.iter().all(is_valid) {
        let hint =
            "A scope cannot contain spaces, quotes or backslashes. Write several as [\"read\", \"write\"].";
        reader.error(&prop.value, "invalid scope", hint);
        return None;
    }
    Some(scopes)
}

/// Checks that the settings are consistent. `off` is true if the headers contain `Authorization`.
pub(crate) fn finish(
    reader: &mut Reader<'_>,
    prop: &ObjectProp<'_>,
    fields: OAuthFields,
    off: bool,
) -> OAuthSettings {
    let at = &prop.name;
    let flow = fields.flow.unwrap_or_default();
    let is_missing = |name: &str| !fields.invalid.iter().any(|invalid| invalid == name);
    if fields.client_secret.is_some() && fields.client_id.is_none() && is_missing("clientId") {
        let hint = "Add \"clientId\", or remove the secret.";
        reader.error(at, "this server has a client secret but no client ID", hint);
    }
    if fields.private_key.is_some() && fields.client_id.is_none() && is_missing("clientId") {
        reader.error(
            at,
            "this server has a private key but no client ID",
            "Add \"clientId\", or remove the key.",
        );
    }
    if fields.private_key.is_some() && fields.client_secret.is_some() {
        let hint = "Keep the one that the client is registered with.";
        reader.error(at, "this server has both a client secret and a private key", hint);
    }
    let has_proof = fields.client_secret.is_some() || fields.private_key.is_some();
    let lacks_client = fields.client_id.is_none() && is_missing("clientId");
    let lacks_proof = !has_proof && is_missing("clientSecret") && is_missing("privateKey");
    if flow == Flow::ClientCredentials && (lacks_client || lacks_proof) {
        let hint = "Add \"clientId\", and \"clientSecret\" or \"privateKey\".";
        reader.error(at, "the flow client_credentials needs a client with a secret or a key", hint);
    }
    if matches!(flow, Flow::Browser | Flow::Device) && fields.private_key.is_some() {
        let hint = "Set \"flow\": \"client_credentials\".";
        reader.error(at, "a private key is not used when a person signs in", hint);
    }
    let has_assertion = fields.assertion.is_some() || fields.assertion_file.is_some();
    let lacks_assertion = !has_assertion && is_missing("assertion") && is_missing("assertionFile");
    if flow == Flow::JwtBearer && lacks_assertion {
        let hint = "Add \"assertionFile\", or \"assertion\": \"${VARIABLE}\".";
        reader.error(at, "the flow jwt_bearer needs an assertion", hint);
    }
    let lacks_provider = fields.identity_provider.is_none() && is_missing("identityProvider");
    if flow == Flow::Enterprise && (lacks_client || lacks_provider) {
        let hint = "Add \"clientId\" and \"identityProvider\".";
        reader.error(at, "the flow enterprise needs a client and an identity provider", hint);
    }
    let token_url = fields.token_url.clone();
    // Neither the device grant nor the client credentials grant needs an authorization endpoint.
    let needs_page = flow == Flow::Browser && fields.device_authorization_url.is_none();
    let endpoints = match (fields.authorization_url, fields.token_url) {
        (Some(authorization), Some(token)) => Some(Endpoints { authorization, token }),
        (Some(_), None) if is_missing("tokenUrl") => {
            let hint = "Add \"tokenUrl\", or remove \"authorizationUrl\" to let Usher discover both.";
            reader.error(at, "this server has an authorization URL but no token URL", hint);
            None
        }
        (None, Some(_)) if is_missing("authorizationUrl") && needs_page => {
            let hint = "Add \"authorizationUrl\", or remove \"tokenUrl\" to let Usher discover both.";
            reader.error(at, "this server has a token URL but no authorization URL", hint);
            None
        }
        (Some(_), None) | (None, Some(_)) | (None, None) => None,
    };
    if off && (fields.client_id.is_some() || endpoints.is_some()) {
        let hint = "Remove `Authorization` from the headers to sign in through the browser.";
        reader.warn(
            at,
            "the sign-in settings have no effect because the headers contain `Authorization`",
            hint,
        );
    }
    OAuthSettings {
        off,
        client_id: fields.client_id,
        client_secret: fields.client_secret,
        private_key: fields.private_key,
        signing_algorithm: fields.signing_algorithm,
        key_id: fields.key_id,
        assertion_audience: fields.assertion_audience,
        assertion: fields.assertion,
        assertion_file: fields.assertion_file.map(PathBuf::from),
        identity_provider: fields.identity_provider,
        scopes: fields.scopes,
        redirect: fields.redirect.unwrap_or_default(),
        flow,
        endpoints,
        token_url,
        device_authorization_url: fields.device_authorization_url,
        audience: fields.audience,
        parameters: fields.parameters.unwrap_or_default(),
        prompt: fields.prompt,
        allow_missing_pkce: fields.allow_missing_pkce.unwrap_or_default(),
        client_metadata_url: fields.client_metadata_url,
    }
}
