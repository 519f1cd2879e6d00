//! Reads, validates, edits and watches `mcp.json`, and lists the known services.
//!
//! The file belongs to the person. An edit keeps comments, order and unknown entries. An entry with an error does not
//! affect the others, and a file that is not JSON is never overwritten.
//!
//! - `file`: [`ConfigFile`], the entry point: load, check, edit and watch.
//! - `parse`: parses text into [`Config`], with errors and warnings for each server; `env_file` reads variables.
//! - `config`, `oauth_settings`: the parsed values.
//! - `template`: values with placeholders, `{{name}}` and `${VAR}`.
//! - `placeholder`: one placeholder, and a web origin to which its value is sent.
//! - `starter`: the commented file of a first run, and its restoration.
//! - `format`: converts entries to Usher's own spelling.
//! - `new_server`: a server to add. `pasted` reads an address, a command or another client's JSON.
//! - `entry_text`: the text of one entry, for an editor. `entry_place` finds it in the file, `entry_merge` changes single
//!   members of it, `comments` finds its comments, and `plain_secrets` takes secrets out of it.
//! - `file_text`: the text of the whole file, for an editor.
//! - `hidden_values`: hides the secrets in these texts, and puts them back; `secret_places` finds them, and
//!   `secret_texts` those inside a longer text.
//! - `edit`: changes to the text, made in its `tree`; `limited_read` reads the file, `atomic_write` replaces it on disk.
//! - `watch`: notices changes by polling.
//! - `text`, `line_ends`, `diagnostic`, `error`: text decoding, line ends, problems with their positions, and errors.
//! - `paths`, `environment`: the folders that Usher uses, from the environment variables.
//! - `catalogue`: the known services, from `catalogue.json`.
//! - `display`: sanitises untrusted text; `display_writer` does so for logs.
//!
//! ```
//! use usher_config::{ConfigFile, Environment, NewServer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("mcp.json");
//! let file = ConfigFile::new(path, Environment::of_process());
//! file.add("notion", &NewServer::http("https://mcp.notion.com/mcp".parse()?))?;
//! for server in file.load()?.servers {
//!     println!("{}", server.name);
//! }
//! # Ok(())
//! # }
//! ```

mod atomic_write;
mod catalogue;
mod comments;
mod config;
mod diagnostic;
mod display;
mod display_writer;
mod edit;
mod entry_merge;
mod entry_place;
mod entry_text;
mod env_file;
mod environment;
mod error;
mod file;
mod file_text;
mod format;
mod hidden_values;
mod limited_read;
mod line_ends;
mod new_server;
mod oauth_settings;
mod parse;
mod pasted;
mod paths;
mod placeholder;
mod plain_secrets;
mod secret_places;
mod secret_texts;
mod starter;
mod template;
mod text;
mod tree;
mod watch;

pub use catalogue::{CatalogueEntry, Setup, Tier, catalogue, catalogue_by_url};
pub use config::{BrokenServer, Config, Entry, Group, Header, SecretUse, ServerConfig, Transport};
pub use diagnostic::{Diagnostic, Severity};
pub use display::{display_text, exact_text};
pub use display_writer::DisplayWriter;
pub use entry_text::{Draft, EntryText};
pub use environment::Environment;
pub use error::ConfigError;
pub use file::ConfigFile;
pub use file_text::{FileText, TextCheck};
pub use format::{FormatReport, Rewrite};
pub use new_server::{NewServer, NewTransport};
pub use oauth_settings::{
    Endpoints, Flow, IdentityProviderSettings, OAuthSettings, Redirect, client_secret_name,
    header_secret_name, setting_secret_name,
};
pub use parse::is_plain_secret_header;
pub use pasted::{PastedEntry, read_pasted};
pub use paths::{Platform, config_dir, config_path, runtime_dir, state_dir};
pub use placeholder::{Origin, Placeholder, PlaceholderError, PlaceholderUse};
pub use plain_secrets::{GivenSecret, HIDDEN, TakenSecret, has_secret_name};
pub use secret_texts::secrets_in_arguments;
pub use starter::{Restored, starter_text};
pub use template::{RenderError, Template, TemplateError};
pub use watch::ConfigWatch;
