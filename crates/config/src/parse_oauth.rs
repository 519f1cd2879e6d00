//! How a server is signed in to, in our spelling (`oauth`) and in those of others (`auth`, `oauth_client_id`).

use jsonc_parser::ast::ObjectProp;
use url::Url;

use crate::parse_server::read_address;
use crate::reader::Reader;
use crate::{Endpoints, OAuthSettings, Redirect, Template};

#[derive(Default)]
pub(crate) struct OAuthFields {
    client_id: Option<String>,
    client_secret: Option<Template>,
    scopes: Option<Vec<String>>,
    redirect: Option<Redirect>,
    authorization_url: Option<Url>,
    token_url: Option<Url>,
    audience: Option<String>,
    allow_missing_pkce: Option<bool>,
    client_metadata_url: Option<Url>,
    /// Names that were there but could not be read: told already, not missing.
    unreadable: Vec<String>,
}

/// Reads `oauth`, `auth` or `oauth_client_id`.
pub(crate) fn read(reader: &mut Reader<'_>, entry: &ObjectProp<'_>, fields: &mut OAuthFields) {
    if entry.name.as_str() == "oauth_client_id" {
        reader.spelling(entry, "oauth.clientId");
        let client_id = reader.filled(entry);
        reader.set(&mut fields.client_id, client_id, entry);
        return;
    }
    if entry.name.as_str() == "auth" {
        reader.spelling(entry, "oauth");
    }
    let Some(object) = reader.object(entry) else { return };
    for prop in reader.entries(object) {
        let errors_before = reader.errors.len();
        read_field(reader, prop, fields);
        if reader.errors.len() > errors_before {
            fields.unreadable.push(canonical(prop.name.as_str()).to_owned());
        }
    }
}

/// Our name for what others call by another.
fn canonical(name: &str) -> &str {
    match name {
        "client_id" => "clientId",
        "client_secret" => "clientSecret",
        "scope" => "scopes",
        "auth_url" | "authorization_url" | "authUrl" => "authorizationUrl",
        "token_url" => "tokenUrl",
        "allow_missing_pkce" => "allowMissingPkce",
        "client_metadata_url" => "clientMetadataUrl",
        same => same,
    }
}

fn read_field(reader: &mut Reader<'_>, prop: &ObjectProp<'_>, fields: &mut OAuthFields) {
    let written = prop.name.as_str();
    let name = canonical(written);
    if name != written {
        reader.spelling(prop, name);
    }
    match name {
        "clientId" => {
            let client_id = reader.filled(prop);
            reader.set(&mut fields.client_id, client_id, prop);
        }
        "clientSecret" => {
            let secret = reader.template(prop);
            if secret.as_ref().is_some_and(|secret| !secret.has_holes()) {
                let hint = "Keep it with `usher secret set NAME` and write {{NAME}} here.";
                reader.warn(&prop.value, "a client secret stands here in plain text", hint);
            }
            reader.set(&mut fields.client_secret, secret, prop);
        }
        "scopes" => {
            let scopes = read_scopes(reader, prop);
            reader.set(&mut fields.scopes, scopes, prop);
        }
        "redirect" => {
            let redirect = reader
                .string(prop)
                .and_then(|word| word.parse().map_err(|why: String| reader.error(&prop.value, why, "")).ok());
            reader.set(&mut fields.redirect, redirect, prop);
        }
        "authorizationUrl" => {
            let url = read_address(reader, prop);
            reader.set(&mut fields.authorization_url, url, prop);
        }
        "tokenUrl" => {
            let url = read_address(reader, prop);
            reader.set(&mut fields.token_url, url, prop);
        }
        "audience" => fields.audience = reader.filled(prop),
        "allowMissingPkce" => fields.allow_missing_pkce = reader.boolean(prop),
        "clientMetadataUrl" => fields.client_metadata_url = read_address(reader, prop),
        "device_auth_url" => {
            let message = "`device_auth_url` is not used: Usher signs in through the browser";
            reader.warn(prop, message, "It may stay for other programs.");
        }
        "token_store" => {
            let message = "`token_store` is not used: Usher keeps tokens in its own secret store";
            reader.warn(prop, message, "It may stay for other programs.");
        }
        "callbackPort" => {
            let message = "`callbackPort` is not used: Usher's way back from the browser needs no fixed port";
            reader.warn(prop, message, "`redirect` chooses another way back.");
        }
        _ => reader.unknown(prop),
    }
}

/// A list, or one text with spaces between.
fn read_scopes(reader: &mut Reader<'_>, prop: &ObjectProp<'_>) -> Option<Vec<String>> {
    let scopes: Vec<String> = if prop.value.as_string_lit().is_some() {
        reader.string(prop)?.split_whitespace().map(str::to_owned).collect()
    } else {
        reader.strings(prop)?
    };
    // RFC 6749 §3.3: printable ASCII without space, quote and backslash.
    let fits = |scope: &String| {
        !scope.is_empty()
            && scope.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    if !scopes.iter().all(fits) {
        let hint = "A scope has no space, quote or backslash; write several as [\"read\", \"write\"].";
        reader.error(&prop.value, "one of these is not a scope", hint);
        return None;
    }
    Some(scopes)
}

/// Checks what must go together. `off` where the headers hold `Authorization`.
pub(crate) fn settle(
    reader: &mut Reader<'_>,
    prop: &ObjectProp<'_>,
    fields: OAuthFields,
    off: bool,
) -> OAuthSettings {
    let at = &prop.name;
    let missing = |name: &str| !fields.unreadable.iter().any(|unreadable| unreadable == name);
    if fields.client_secret.is_some() && fields.client_id.is_none() && missing("clientId") {
        let hint = "Add \"clientId\", or remove the secret.";
        reader.error(at, "this server has a client secret without a client id", hint);
    }
    let endpoints = match (fields.authorization_url, fields.token_url) {
        (Some(authorization), Some(token)) => Some(Endpoints { authorization, token }),
        (Some(_), None) if missing("tokenUrl") => {
            let hint = "Add \"tokenUrl\", or remove \"authorizationUrl\": Usher then finds both by itself.";
            reader.error(at, "this server has an authorization address without a token address", hint);
            None
        }
        (None, Some(_)) if missing("authorizationUrl") => {
            let hint = "Add \"authorizationUrl\", or remove \"tokenUrl\": Usher then finds both by itself.";
            reader.error(at, "this server has a token address without an authorization address", hint);
            None
        }
        (Some(_), None) | (None, Some(_)) | (None, None) => None,
    };
    let has_settings = fields.client_id.is_some() || endpoints.is_some();
    if off && has_settings {
        let hint = "Remove `Authorization` from the headers to sign in through the browser.";
        reader.warn(
            at,
            "`Authorization` stands in the headers, so the settings for signing in do nothing",
            hint,
        );
    }
    OAuthSettings {
        off,
        client_id: fields.client_id,
        client_secret: fields.client_secret,
        scopes: fields.scopes,
        redirect: fields.redirect.unwrap_or_default(),
        endpoints,
        audience: fields.audience,
        allow_missing_pkce: fields.allow_missing_pkce.unwrap_or_default(),
        client_metadata_url: fields.client_metadata_url,
    }
}
