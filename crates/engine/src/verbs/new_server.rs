//! The `mcp.json` entry of a new server, and the names of new entries.

use std::path::Path;

use usher_api::{Code, ErrorView, NewProgram, NewServer, RedirectKind};
use usher_config::{Config, Endpoints, NewTransport, Redirect, Transport, catalogue_by_url};
use usher_oauth::ServerUrl;

use crate::words::sign_in::describe_oauth_error;

/// Programs that run the package or the script that their first argument names.
const RUNNERS: [&str; 16] = [
    "npx", "npm", "pnpm", "pnpx", "yarn", "bunx", "bun", "uvx", "uv", "pipx", "docker", "podman", "deno",
    "node", "python", "python3",
];
const SUBCOMMANDS: [&str; 6] = ["run", "exec", "dlx", "x", "tool", "create"];
/// Words of a package's name that say only that it is an MCP server.
const FILLERS: [&str; 2] = ["mcp", "server"];

/// Returns the entry of a server.
pub(super) fn entry(
    server: NewServer,
    has_client_secret: bool,
) -> Result<usher_config::NewServer, ErrorView> {
    if has_client_secret && server.client_id.is_none() {
        let message = "A client secret needs a client ID.";
        return Err(ErrorView::new(Code::ConfigInvalid, message, "Enter the client ID too."));
    }
    let endpoints = endpoints(&server)?;
    let transport = match server.program {
        Some(program) => self::program(program, &server.url)?,
        None => NewTransport::Http { url: address(&server.url)?.url().clone(), headers: server.headers },
    };
    Ok(usher_config::NewServer {
        title: server.title,
        description: server.description,
        client_id: server.client_id,
        endpoints,
        audience: server.audience,
        parameters: server.parameters,
        scopes: server.scopes,
        redirect: match server.redirect {
            None => Redirect::Auto,
            Some(RedirectKind::Link) => Redirect::Link,
            Some(RedirectKind::LinkWithHost) => Redirect::LinkWithHost,
            Some(RedirectKind::Loopback) => Redirect::Loopback,
            Some(RedirectKind::Paste) => Redirect::Paste,
        },
        ..usher_config::NewServer::new(transport)
    })
}

fn address(text: &str) -> Result<ServerUrl, ErrorView> {
    ServerUrl::parse(text).map_err(|error| ErrorView {
        code: Code::ConfigInvalid,
        hint: Some("Enter the full address of the service, such as https://mcp.example.com/mcp.".to_owned()),
        ..describe_oauth_error(&error)
    })
}

fn program(program: NewProgram, url: &str) -> Result<NewTransport, ErrorView> {
    if !url.is_empty() {
        let message = "A server has either an address or a program.";
        return Err(ErrorView::new(Code::ConfigInvalid, message, "Remove one of them."));
    }
    let NewProgram { command, args, env, cwd } = program;
    Ok(NewTransport::Stdio { command, args, env, cwd })
}

/// Returns the endpoints entered by hand. They need a client ID, because discovery is left out.
fn endpoints(server: &NewServer) -> Result<Option<Endpoints>, ErrorView> {
    match (&server.client_id, &server.authorization_url, &server.token_url) {
        (_, None, None) => Ok(None),
        (Some(_), Some(authorization), Some(token)) => {
            let [authorization, token] = [authorization, token].map(|text| address(text));
            Ok(Some(Endpoints { authorization: authorization?.url().clone(), token: token?.url().clone() }))
        }
        (None, _, _) | (_, None, _) | (_, _, None) => {
            let message = "The client ID, the authorization URL and the token URL belong together.";
            Err(ErrorView::new(Code::ConfigInvalid, message, "Enter all three, or leave both URLs empty."))
        }
    }
}

/// Returns a name that no entry has. An untouched example of a new file gives way.
pub(super) fn unused_name(proposed: &str, known: &Config) -> String {
    let is_used = |name: &str| {
        let is_example = known.server(name).is_some_and(usher_config::ServerConfig::is_example);
        known.entries().any(|entry| entry.name() == name) && !is_example
    };
    let mut name = proposed.to_owned();
    let mut number = 2;
    while is_used(&name) {
        name = format!("{proposed}-{number}");
        number += 1;
    }
    name
}

/// Proposes a name for an entry: from the catalogue, the host or the program's package.
pub(super) fn proposed_name(transport: &Transport) -> String {
    match transport {
        Transport::Http { url, .. } | Transport::Sse { url, .. } => name_of_address(url),
        Transport::Stdio { command, args, .. } => {
            let args: Vec<_> = args.iter().map(|argument| argument.source()).collect();
            name_of_program(command.source(), &args)
        }
    }
}

/// Returns the catalogue's slug or, if there is none, the second-level domain, such as `example` for `mcp.example.com`.
fn name_of_address(url: &url::Url) -> String {
    if let Some(entry) = catalogue_by_url(url) {
        return entry.slug.clone();
    }
    let host = match url.host() {
        Some(url::Host::Domain(domain)) => domain,
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) | None => return "server".to_owned(),
    };
    let labels: Vec<_> = host.split('.').filter(|label| !label.is_empty()).collect();
    let distinctive = match labels.as_slice() {
        [.., distinctive, _] => distinctive,
        [only] => only,
        [] => "server",
    };
    distinctive.to_owned()
}

/// Proposes a name for a program: that of the package which a runner starts, or else of the program itself. Common words
/// such as `server` are left out: `npx -y @modelcontextprotocol/server-filesystem` becomes `filesystem`.
fn name_of_program(command: &str, args: &[&str]) -> String {
    let stem = Path::new(command).file_stem().and_then(|stem| stem.to_str()).unwrap_or(command);
    let is_package = |argument: &&&str| !argument.starts_with('-') && !SUBCOMMANDS.contains(*argument);
    let package = args.iter().find(is_package).filter(|_| RUNNERS.contains(&stem));
    let name = package.map_or(stem, |package| {
        let version = package.rfind('@').filter(|at| *at > 0);
        version.map_or(*package, |at| &package[..at])
    });
    // From the last part on, because the first one is a scope or a folder.
    let parts =
        name.rsplit(['/', '\\']).map(|part| part.split([':', '=', '@']).find(|part| !part.is_empty()));
    let short = parts.flatten().map(|part| {
        let part = part.strip_suffix(".js").or_else(|| part.strip_suffix(".py")).unwrap_or(part);
        let words = part.split(['-', '_']).filter(|word| !word.is_empty() && !FILLERS.contains(word));
        words.collect::<Vec<_>>().join("-")
    });
    short.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "program".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_address() {
        let cases = [
            ("https://mcp.example.com/mcp", "example"),
            ("https://example.com", "example"),
            ("http://127.0.0.1:8080/mcp", "server"),
            ("http://localhost:8080/mcp", "localhost"),
            ("https://mcp.notion.com/mcp", "notion"),
        ];
        for (address, name) in cases {
            assert_eq!(name_of_address(&address.parse().expect("an address")), name);
        }
    }

    #[test]
    fn names_come_from_the_package_of_a_program() {
        for (line, name) in [
            ("npx -y @modelcontextprotocol/server-filesystem /home", "filesystem"),
            ("npx @playwright/mcp@latest", "playwright"),
            ("uvx mcp-server-git --repository .", "git"),
            ("uv tool run notes-mcp", "notes"),
            ("docker run -i --rm mcp/fetch:2", "fetch"),
            ("/opt/notes/bin/notes serve", "notes"),
            ("node ./build/index.js", "index"),
            ("mcp-server", "program"),
        ] {
            let words: Vec<_> = line.split(' ').collect();
            assert_eq!(name_of_program(words[0], &words[1..]), name, "{line}");
        }
    }

    #[test]
    fn endpoints_need_a_client_id_and_each_other() {
        let text = |address: &str| Some(address.to_owned());
        let (page, token) = (text("https://a.example/authorize"), text("https://a.example/token"));
        for (client_id, authorization_url, token_url, is_valid) in [
            (None, None, None, true),
            (text("id"), None, None, true),
            (text("id"), page.clone(), token.clone(), true),
            (None, page.clone(), token.clone(), false),
            (text("id"), page, None, false),
            (text("id"), None, token, false),
            (text("id"), text("nowhere"), text("https://a.example/token"), false),
        ] {
            let url = "https://mcp.example.com".to_owned();
            let server = NewServer { url, client_id, authorization_url, token_url, ..NewServer::default() };
            assert_eq!(entry(server.clone(), false).is_ok(), is_valid, "{server:?}");
        }
        let no_client = NewServer { url: "https://mcp.example.com".to_owned(), ..NewServer::default() };
        assert_eq!(entry(no_client, true).expect_err("no client ID").code, Code::ConfigInvalid);
    }

    #[test]
    fn invalid_addresses_are_rejected() {
        for address in ["", "example", "javascript:alert(1)", "http://example.com", "https://me@example.com"]
        {
            let server = NewServer { url: address.to_owned(), ..NewServer::default() };
            assert_eq!(entry(server, false).expect_err(address).code, Code::ConfigInvalid);
        }
    }
}
