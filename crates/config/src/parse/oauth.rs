//! Parses sign-in settings: `oauth`, and other products' `auth` and `oauth_client_id`.

use jsonc_parser::ast::ObjectProp;
use url::Url;

use super::address::read_address;
use super::reader::Reader;
use crate::{Endpoints, Flow, IdentityProviderSettings, OAuthSettings, Redirect, Template};

#[derive(Default)]
pub(crate) struct OAuthFields {
    /// The settings so far. `finish` fills in `off`, `redirect` and `endpoints`.
    settings: OAuthSettings,
    redirect: Option<Redirect>,
    authorization_url: Option<Url>,
    token_url: Option<Url>,
    /// The names of entries with an error. They are not also reported as missing.
    invalid: Vec<String>,
}

/// Reads `oauth`, `auth` or `oauth_client_id`.
pub(crate) fn read(reader: &mut Reader<'_>, entry: &ObjectProp<'_>, fields: &mut OAuthFields) {
    if entry.name.as_str() == "oauth_client_id" {
        reader.warn_alias(entry, "oauth.clientId");
        reader.set(&mut fields.settings.client_id, entry, Reader::resolved);
        return;
    }
    if entry.name.as_str() == "auth" {
        reader.warn_alias(entry, "oauth");
    }
    let Some(object) = reader.object(entry) else { return };
    for prop in reader.entries(object) {
        let errors_before = reader.errors.len();
        read_field(reader, prop, fields);
        if reader.errors.len() > errors_before {
            fields.invalid.push(canonical(prop.name.as_str()).to_owned());
        }
    }
}

/// Translates another product's name for an entry to Usher's name.
fn canonical(name: &str) -> &str {
    match name {
        "client_id" => "clientId",
        "client_secret" => "clientSecret",
        "private_key" => "privateKey",
        "signing_algorithm" => "signingAlgorithm",
        "key_id" => "keyId",
        "scope" => "scopes",
        "auth_url" | "authorization_url" | "authUrl" => "authorizationUrl",
        "token_url" => "tokenUrl",
        "device_auth_url" | "device_authorization_url" | "deviceAuthUrl" => "deviceAuthorizationUrl",
        "allow_missing_pkce" => "allowMissingPkce",
        "client_metadata_url" => "clientMetadataUrl",
        same => same,
    }
}

fn read_field(reader: &mut Reader<'_>, prop: &ObjectProp<'_>, fields: &mut OAuthFields) {
    let written = prop.name.as_str();
    let name = canonical(written);
    if name != written {
        reader.warn_alias(prop, name);
    }
    match name {
        "clientId" => reader.set(&mut fields.settings.client_id, prop, Reader::resolved),
        "clientSecret" => reader.set(&mut fields.settings.client_secret, prop, read_secret),
        "privateKey" => reader.set(&mut fields.settings.private_key, prop, read_secret),
        "assertion" => reader.set(&mut fields.settings.assertion, prop, read_secret),
        "assertionFile" => {
            fields.settings.assertion_file = reader.resolved(prop).map(std::path::PathBuf::from);
        }
        "identityProvider" => {
            fields.settings.identity_provider = read_identity_provider(reader, prop);
        }
        "signingAlgorithm" => fields.settings.signing_algorithm = reader.resolved(prop),
        "keyId" => fields.settings.key_id = reader.resolved(prop),
        "assertionAudience" => fields.settings.assertion_audience = reader.resolved(prop),
        "scopes" => reader.set(&mut fields.settings.scopes, prop, read_scopes),
        "redirect" => reader.set(&mut fields.redirect, prop, |reader, prop| {
            let word = reader.string(prop)?;
            word.parse().map_err(|why: String| reader.error(&prop.value, why, "")).ok()
        }),
        "authorizationUrl" => reader.set(&mut fields.authorization_url, prop, read_address),
        "tokenUrl" => reader.set(&mut fields.token_url, prop, read_address),
        "audience" => fields.settings.audience = reader.resolved(prop),
        "prompt" => {
            // OpenID Connect's `none` forbids the page to ask anything, so no sign-in could use it.
            let prompt = reader.resolved(prop);
            fields.settings.prompt =
                prompt.map(|prompt| if prompt == "none" { String::new() } else { prompt });
        }
        "allowMissingPkce" => fields.settings.allow_missing_pkce = reader.boolean(prop).unwrap_or_default(),
        "clientMetadataUrl" => fields.settings.client_metadata_url = read_address(reader, prop),
        "flow" => {
            let flow = reader.string(prop).map(|word| word.parse());
            match flow {
                Some(Ok(flow)) => fields.settings.flow = flow,
                Some(Err(why)) => reader.error(&prop.value, why, ""),
                None => {}
            }
        }
        "deviceAuthorizationUrl" => {
            reader.set(&mut fields.settings.device_authorization_url, prop, read_address)
        }
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

fn read_secret(reader: &mut Reader<'_>, prop: &ObjectProp<'_>) -> Option<Template> {
    let secret = reader.template(prop)?;
    if !secret.has_placeholders() {
        let hint = "Store it with `usher secret set NAME` and write {{NAME}} here.";
        let message = format!("the {} is in plain text", secret_name(canonical(prop.name.as_str())));
        reader.warn(&prop.value, message, hint);
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
    let settings = fields.settings;
    let is_missing = |name: &str| !fields.invalid.iter().any(|invalid| invalid == name);
    if settings.client_secret.is_some() && settings.client_id.is_none() && is_missing("clientId") {
        let hint = "Add \"clientId\", or remove the secret.";
        reader.error(at, "this server has a client secret but no client ID", hint);
    }
    if settings.private_key.is_some() && settings.client_id.is_none() && is_missing("clientId") {
        reader.error(
            at,
            "this server has a private key but no client ID",
            "Add \"clientId\", or remove the key.",
        );
    }
    if settings.private_key.is_some() && settings.client_secret.is_some() {
        let hint = "Keep the one that the client is registered with.";
        reader.error(at, "this server has both a client secret and a private key", hint);
    }
    let has_proof = settings.client_secret.is_some() || settings.private_key.is_some();
    let lacks_client = settings.client_id.is_none() && is_missing("clientId");
    let lacks_proof = !has_proof && is_missing("clientSecret") && is_missing("privateKey");
    if settings.flow == Flow::ClientCredentials && (lacks_client || lacks_proof) {
        let hint = "Add \"clientId\", and \"clientSecret\" or \"privateKey\".";
        reader.error(at, "the flow client_credentials needs a client with a secret or a key", hint);
    }
    if matches!(settings.flow, Flow::Browser | Flow::Device) && settings.private_key.is_some() {
        let hint = "Set \"flow\": \"client_credentials\".";
        reader.error(at, "a private key is not used when a person signs in", hint);
    }
    let has_assertion = settings.assertion.is_some() || settings.assertion_file.is_some();
    let lacks_assertion = !has_assertion && is_missing("assertion") && is_missing("assertionFile");
    if settings.flow == Flow::JwtBearer && lacks_assertion {
        let hint = "Add \"assertionFile\", or \"assertion\": \"${VARIABLE}\".";
        reader.error(at, "the flow jwt_bearer needs an assertion", hint);
    }
    let lacks_provider = settings.identity_provider.is_none() && is_missing("identityProvider");
    if settings.flow == Flow::Enterprise && (lacks_client || lacks_provider) {
        let hint = "Add \"clientId\" and \"identityProvider\".";
        reader.error(at, "the flow enterprise needs a client and an identity provider", hint);
    }
    let endpoints = match (fields.authorization_url, fields.token_url) {
        (Some(authorization), Some(token)) => Some(Endpoints { authorization, token }),
        (Some(_), None) if is_missing("tokenUrl") => {
            let hint = "Add \"tokenUrl\", or remove \"authorizationUrl\" to let Usher discover both.";
            reader.error(at, "this server has an authorization URL but no token URL", hint);
            None
        }
        (None, Some(_)) if is_missing("authorizationUrl") => {
            let hint = "Add \"authorizationUrl\", or remove \"tokenUrl\" to let Usher discover both.";
            reader.error(at, "this server has a token URL but no authorization URL", hint);
            None
        }
        (Some(_), None) | (None, Some(_)) | (None, None) => None,
    };
    if off && (settings.client_id.is_some() || endpoints.is_some()) {
        let hint = "Remove `Authorization` from the headers to sign in through the browser.";
        reader.warn(
            at,
            "the sign-in settings have no effect because the headers contain `Authorization`",
            hint,
        );
    }
    OAuthSettings { off, redirect: fields.redirect.unwrap_or_default(), endpoints, ..settings }
}
