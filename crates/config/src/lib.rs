//! `mcp.json`: read, validated, edited with comments kept, and watched; and the catalogue of known services.
//!
//! The file belongs to the person. What this room does not understand it keeps, and a file that it cannot
//! read it never overwrites.

mod catalogue;
mod diagnostic;
mod display;
mod edit;
mod environment;
mod error;
mod file;
mod parse;
mod parse_headers;
mod parse_oauth;
mod parse_server;
mod paths;
mod reader;
mod replace;
mod server;
mod syntax;
mod template;
mod text;
mod watch;

pub use catalogue::{CatalogueEntry, SetUp, Tier, catalogue, catalogue_by_slug, catalogue_by_url};
pub use diagnostic::{Diagnostic, Severity};
pub use display::display_text;
pub use edit::{NewServer, NewTransport};
pub use environment::Environment;
pub use error::ConfigError;
pub use file::ConfigFile;
pub use paths::{Platform, config_dir, config_path, runtime_dir, state_dir};
pub use server::{Config, Endpoints, Header, OAuthSettings, Redirect, ServerConfig, Transport};
pub use template::{RenderError, Template, TemplateError};
pub use watch::ConfigWatch;
