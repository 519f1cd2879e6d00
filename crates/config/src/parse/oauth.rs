//! Parses sign-in settings: `oauth`, and other products' `auth` and `oauth_client_id`.

use jsonc_parser::ast::ObjectProp;
use url::Url;

use super::address::read_address;
use super::reader::Reader;
use crate::{Endpoints, OAuthSettings, Redirect, Template};

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
        reader.warn(&prop.value, "the client secret is in plain text", hint);
    }
    Some(secret)
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
