//! The command-line arguments, defined with clap.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use usher_config::Redirect;

use crate::commands::server::{ServerCommand, ServerName};
use crate::paths::Paths;

/// Sign in to the services your AI tools use.
#[derive(Debug, Parser)]
#[command(name = "usher", version, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(flatten)]
    pub paths: Paths,
    /// Print JSON: results to stdout, errors to stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// Print debug messages to stderr
    #[arg(long, short, global = true)]
    pub verbose: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the servers in mcp.json
    List,
    /// Add a server, by its URL or by a command after `--`
    Add(Add),
    /// Sign in to a server
    Login(Login),
    #[command(flatten)]
    Server(ServerCommand),
    /// Show the command of a local program, and approve it
    ///
    /// A program runs only after you approved its command, arguments, environment and folder. After any change of its
    /// entry in mcp.json, Usher asks again. Only a person at a terminal can approve a program.
    Approve(ServerName),
    /// Connect to the servers and show their states
    ///
    /// Without a name, it also lists the sign-ins that are stored but whose servers were removed from mcp.json. With
    /// `--json`, the result is then an object: `servers` contains the states, and `orphans` these sign-ins. `orphans` is
    /// null if the secret store cannot be read.
    Status(Status),
    /// List a server's tools
    Tools(ServerName),
    /// Print the last lines that a local program wrote to stderr
    Logs(ServerName),
    /// Call a tool
    Call(Call),
    /// Connect an AI client to a server that you signed in to
    ///
    /// An AI client starts this command instead of the server. It speaks MCP over stdin and stdout. Every client uses the
    /// same connection and the same sign-in. If Usher is not running, it starts `usher serve`.
    Bridge(Bridge),
    /// Run Usher for AI clients, without a window
    ///
    /// It ends five minutes after the last client, or when the app starts. `usher bridge` starts it when necessary.
    Serve,
    /// Check, format or restore mcp.json
    Config {
        #[command(subcommand)]
        command: Config,
    },
    /// Manage the named secrets, which mcp.json refers to as {{name}}
    Secret {
        #[command(subcommand)]
        command: Secret,
    },
    /// Run the Usher demo, a service on this computer, until Ctrl-C
    Demo(Demo),
    /// Generate shell completions
    Completions { shell: clap_complete::Shell },
    /// Write the man pages to a folder
    #[command(hide = true)]
    Man { folder: PathBuf },
}

#[derive(Debug, Args)]
pub struct Bridge {
    /// Server in mcp.json
    #[arg(value_name = "SERVER", required_unless_present = "all")]
    pub server: Option<String>,
    /// Offer all servers that are enabled
    #[arg(long, conflicts_with = "server")]
    pub all: bool,
    /// Name of the AI client, which Usher shows in its questions
    #[arg(long = "as", value_name = "LABEL")]
    pub label: Option<String>,
}

#[derive(Debug, Args)]
pub struct Add {
    /// Name for the server in mcp.json
    pub name: String,
    /// URL of the server, such as https://mcp.notion.com/mcp
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    pub url: Option<String>,
    /// Command that runs a local server, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Client ID of an app that you registered with the service
    #[arg(long, conflicts_with = "command")]
    pub client_id: Option<String>,
    /// Read the app's client secret from stdin, and store it in the keychain
    #[arg(long, value_name = "-", value_parser = ["-"], requires = "client_id")]
    pub client_secret: Option<String>,
    /// Scope to request; can be repeated
    #[arg(long, conflicts_with = "command")]
    pub scope: Vec<String>,
    /// Header to send, as NAME=VALUE; can be repeated. `NAME=-` reads the value from stdin and stores it in the keychain
    #[arg(long, value_name = "NAME=VALUE", value_parser = header, conflicts_with = "command")]
    pub header: Vec<(String, String)>,
    /// Redirect to use when signing in
    #[arg(long, value_parser = redirects(), conflicts_with = "command")]
    pub redirect: Option<Redirect>,
}

#[derive(Debug, Args)]
pub struct Login {
    /// Name of the server in mcp.json
    pub name: String,
    /// Print the authorization URL as JSON instead of opening a browser, and read the callback URL from stdin
    #[arg(long)]
    pub no_browser: bool,
    /// Sign in with a code that you enter on another device, such as a phone
    #[arg(long)]
    pub device: bool,
    /// Sign in again, even if already signed in
    #[arg(long)]
    pub again: bool,
    /// Confirm a host of the authorization server that belongs to another site; can be repeated
    #[arg(long, value_name = "HOST")]
    pub confirm_host: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Status {
    /// Name of the server in mcp.json [default: all servers]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct Call {
    /// Name of the server in mcp.json
    pub name: String,
    /// Name of the tool
    pub tool: String,
    /// Arguments of the tool, as a JSON object; `-` reads them from stdin
    #[arg(default_value = "{}", value_name = "JSON")]
    pub arguments: String,
    /// Stop waiting after this many seconds without a message from the server
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
}

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Report all errors and warnings in mcp.json
    Check,
    /// Convert entries from other clients to Usher's own spelling
    ///
    /// Comments, order and unknown keys stay, and no entry changes its meaning.
    Format {
        /// Only report what would change; the exit code is 6 if anything would
        #[arg(long)]
        check: bool,
    },
    /// Save a copy of mcp.json under a new name, and start again with the examples
    ///
    /// The sign-ins and secrets are kept.
    Restore,
}

#[derive(Debug, Subcommand)]
pub enum Secret {
    /// Store a secret, read from stdin
    Set { name: String },
    /// List the secrets, the servers that use them, and the services that may get them
    ///
    /// A missing secret is used in mcp.json, but has no value. The last use is accurate to an hour.
    List,
    /// Allow a secret for another service
    ///
    /// Usher sends a secret only to the services that it was first used with. Run this command if mcp.json now names
    /// another address. It needs a person at a terminal.
    Allow {
        /// Name of the secret, or an environment variable, written as '${VAR}'
        #[arg(value_name = "NAME")]
        secret: String,
        /// Address of the service; only its scheme, host and port count
        #[arg(value_name = "ORIGIN")]
        origin: String,
    },
    /// Stop sending a secret to a service
    ///
    /// The servers at this address then fail until you allow the secret again.
    Disallow {
        /// Name of the secret, or an environment variable, written as '${VAR}'
        #[arg(value_name = "NAME")]
        secret: String,
        /// Address of the service; only its scheme, host and port count
        #[arg(value_name = "ORIGIN")]
        origin: String,
    },
    /// Delete a secret, and forget which services may get it
    Remove {
        /// Name of the secret, or an environment variable, written as '${VAR}'
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Port on 127.0.0.1 [default: a free port]
    #[arg(long)]
    pub port: Option<u16>,
    /// Lifetime of an access token, in seconds
    #[arg(long, default_value_t = 3600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub ttl: u64,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

fn redirects() -> impl TypedValueParser<Value = Redirect> {
    PossibleValuesParser::new(Redirect::ALL.map(Redirect::as_str)).try_map(|word| word.parse::<Redirect>())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_argument_definitions_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_local_command_follows_two_dashes() {
        let arguments = Arguments::parse_from(["usher", "add", "files", "--", "npx", "-y", "files"]);
        let Command::Add(add) = arguments.command else { panic!("expected add") };
        assert_eq!(add.command, ["npx", "-y", "files"]);
        assert_eq!(add.url, None);
    }

    #[test]
    fn invalid_arguments_are_rejected() {
        for arguments in [
            &["usher", "add", "notion"][..],
            &["usher", "add", "notion", "https://mcp.notion.com/mcp", "--client-secret", "-"],
            &["usher", "add", "corp", "https://x.example", "--client-id", "a", "--client-secret", "hunter2"],
            &["usher", "add", "x", "https://x.example", "--header", "no-equals"],
            &["usher", "demo", "--ttl", "0"],
            &["usher", "call", "demo", "tool", "--timeout", "3601"],
            &["usher", "--secret-store", "cupboard", "list"],
        ] {
            assert!(Arguments::try_parse_from(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn the_examples_in_the_documentation_are_valid() {
        let examples = include_str!("main.rs").lines().filter_map(|line| line.strip_prefix("//! $ "));
        let parsed = examples.map(|line| Arguments::try_parse_from(line.split_whitespace()).expect(line));
        assert_eq!(parsed.count(), 3);
    }
}
