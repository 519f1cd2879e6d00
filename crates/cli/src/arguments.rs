//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use usher_secrets::StoreKind;

/// Sign in to the services your AI tools use.
#[derive(Debug, Parser)]
#[command(name = "usher", version, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(flatten)]
    pub places: Places,
    /// Print JSON instead of text: results to standard output, errors to standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// Say on standard error what is being done
    #[arg(long, short, global = true)]
    pub verbose: bool,
    #[command(subcommand)]
    pub command: Command,
}

/// Where things lie. Each flag stands before its variable, and that before the system's own folders.
#[derive(Debug, Args)]
pub struct Places {
    /// The list of servers [default: mcp.json in your config folder]
    #[arg(long, value_name = "FILE", env = "USHER_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// Registrations and discovered metadata; no secrets
    #[arg(long, value_name = "FOLDER", env = "USHER_STATE_DIR", global = true)]
    pub state_dir: Option<PathBuf>,
    /// The lock and the socket of the running engine
    #[arg(long, value_name = "FOLDER", env = "USHER_RUNTIME_DIR", global = true, hide = true)]
    pub runtime_dir: Option<PathBuf>,
    /// Where secrets are kept: keychain, file:PATH or memory [default: keychain]
    #[arg(long, value_name = "STORE", env = "USHER_SECRET_STORE", global = true)]
    pub secret_store: Option<StoreKind>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the servers of mcp.json
    List,
    /// Add a server: an address, or a command after --
    Add(Add),
    /// Sign out of a server and take it out of mcp.json
    Remove(Server),
    /// Turn a server on
    Enable(Server),
    /// Turn a server off, and keep it in mcp.json
    Disable(Server),
    /// Sign in to a server
    Login(Login),
    /// Sign out of a server, and forget its sign-in
    Logout(Server),
    /// Connect, and show how each server is
    Status(Status),
    /// List a server's tools
    Tools(Server),
    /// Call a tool
    Call(Call),
    /// Look after mcp.json
    Config {
        #[command(subcommand)]
        command: Config,
    },
    /// Look after the named secrets that mcp.json refers to as {{name}}
    Secret {
        #[command(subcommand)]
        command: Secret,
    },
    /// Run the demo service on this machine, until Ctrl-C
    Demo(Demo),
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
    /// Write the manual's pages into a folder
    #[command(hide = true)]
    Man { folder: PathBuf },
}

#[derive(Debug, Args)]
pub struct Server {
    /// The server's name in mcp.json
    pub name: String,
}

#[derive(Debug, Args)]
pub struct Add {
    /// The name to give it
    pub name: String,
    /// Its address, such as https://mcp.notion.com/mcp
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    pub url: Option<String>,
    /// The command of a local server, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
    /// The client id of an app that you registered yourself
    #[arg(long, conflicts_with = "command")]
    pub client_id: Option<String>,
    /// `-`: read that app's client secret from standard input, and keep it in the keychain
    #[arg(long, value_name = "-", value_parser = ["-"], requires = "client_id")]
    pub client_secret: Option<String>,
    /// A permission to ask for; may be repeated
    #[arg(long, conflicts_with = "command")]
    pub scope: Vec<String>,
    /// A header to send, as NAME=VALUE; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = header, conflicts_with = "command")]
    pub header: Vec<(String, String)>,
    /// The way back from the browser
    #[arg(long, value_enum, conflicts_with = "command")]
    pub redirect: Option<Redirect>,
}

/// The way back from the browser, as the command line spells it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Redirect {
    Auto,
    Link,
    LinkWithHost,
    Loopback,
    Paste,
}

#[derive(Debug, Args)]
pub struct Login {
    /// The server's name in mcp.json
    pub name: String,
    /// Open nothing: print the address as one JSON line, and read the address of the callback from standard input
    #[arg(long)]
    pub no_browser: bool,
    /// Sign in anew, even where the sign-in stands
    #[arg(long)]
    pub again: bool,
}

#[derive(Debug, Args)]
pub struct Status {
    /// The server's name in mcp.json; all of them without it
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct Call {
    /// The server's name in mcp.json
    pub name: String,
    /// The tool's name
    pub tool: String,
    /// Its arguments as a JSON object; `-` reads them from standard input
    #[arg(default_value = "{}", value_name = "JSON")]
    pub arguments: String,
    /// Give up when the server is silent for so many seconds
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
}

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Say what is wrong with mcp.json, and what is merely odd
    Check,
}

#[derive(Debug, Subcommand)]
pub enum Secret {
    /// Keep a secret, read from standard input
    Set { name: String },
    /// List the names; never the secrets
    List,
    /// Forget a secret
    Remove { name: String },
}

#[derive(Debug, Args)]
pub struct Demo {
    /// The port on 127.0.0.1; a free one without it
    #[arg(long)]
    pub port: Option<u16>,
    /// The life of an access token, in seconds
    #[arg(long, default_value_t = 3600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub ttl: u64,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_words_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_local_server_stands_after_two_dashes() {
        let arguments = Arguments::parse_from(["usher", "add", "files", "--", "npx", "-y", "files"]);
        let Command::Add(add) = arguments.command else { panic!("not an add") };
        assert_eq!(add.command, ["npx", "-y", "files"]);
        assert_eq!(add.url, None);
    }

    #[test]
    fn wrong_words_are_refused() {
        for words in [
            &["usher", "add", "notion"][..],
            &["usher", "add", "notion", "https://mcp.notion.com/mcp", "--client-secret", "-"],
            &["usher", "add", "corp", "https://x.example", "--client-id", "a", "--client-secret", "hunter2"],
            &["usher", "add", "x", "https://x.example", "--header", "no-equals"],
            &["usher", "demo", "--ttl", "0"],
            &["usher", "call", "demo", "tool", "--timeout", "3601"],
            &["usher", "--secret-store", "cupboard", "list"],
        ] {
            assert!(Arguments::try_parse_from(words).is_err(), "{words:?}");
        }
    }
}
