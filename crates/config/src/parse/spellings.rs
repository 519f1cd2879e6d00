//! Other clients' names for the settings of a server, with Usher's name for each.

/// Translates the name of a field of an entry. `enabled` is not in the table, because its value is the opposite of
/// `disabled`.
pub(crate) fn entry_field(name: &str) -> &str {
    match name {
        "transport" => "type",
        // Windsurf and Antigravity, Gemini CLI, Goose.
        "serverUrl" | "httpUrl" | "uri" => "url",
        "cmd" => "command",
        // Goose, opencode.
        "envs" | "environment" => "env",
        // Warp.
        "working_directory" => "cwd",
        "auth" => "oauth",
        same => same,
    }
}

/// Translates the name of a field of `oauth` or `auth`.
pub(crate) fn oauth_field(name: &str) -> &str {
    match name {
        "client_id" | "CLIENT_ID" => "clientId",
        "client_secret" | "CLIENT_SECRET" => "clientSecret",
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

/// Translates the type of a server.
pub(crate) fn server_type(word: &str) -> &str {
    match word {
        "streamable-http" | "streamableHttp" | "streamable_http" => "http",
        // opencode, Copilot CLI.
        "remote" => "http",
        "local" => "stdio",
        same => same,
    }
}
