//! Fixtures of the end-to-end tests. Each fixture stops its processes when it is dropped.
//!
//! The fixtures do not change the environment of the test process. [`Desktop::command`] sets the environment of the
//! program that it starts.
//!
//! # Layout
//!
//! The desktop:
//! - `desktop`: folders, environment, and the parts below
//! - `display`, `windows`: a virtual screen, and the windows on it
//! - `bus`: a private session bus
//! - `keyring`, `prompter`: GNOME Keyring, and its password dialog
//! - `unresponsive_keychain`, `portal`, `notification_server`, `tray_host`: fakes on the session bus
//! - `browser`, `fake_opener`: Chromium as the default browser, and a script that replaces the programs that open links
//!
//! Usher on this desktop:
//! - `app`, `launched_app`: the app as a child of the test, and as started by the system
//! - `window`, `driver`, `page`: the app driven by WebDriver
//! - `notes`: the app with a demo
//! - `axe`: accessibility checks of a page
//! - `cli`: the command `usher`
//! - `engine`: an engine inside the test, without the app or the command
//! - `steps`, `consent`: the steps of a sign-in, in the browser and without one
//!
//! Services:
//! - `large_server`: an MCP server with long lists, or with texts that take a window long to show
//! - `self_signed_server`: a TLS server with a self-signed certificate
//!
//! Tools:
//! - `process`, `piped_process`: child processes, without and with pipes to the test
//! - `kill_switch`: kills a process at a chosen moment
//! - `folder_watch`, `keychain_watch`: observers of files and of the keychain
//! - `bare_client`: MCP clients that do without Usher, for comparison
//! - `wait`, `paths`: waiting with a deadline, and the paths of the built programs
//! - `requirements`: the check for programs and libraries that a desktop needs
//!
//! # Example
//!
//! ```no_run
//! use usher_tests::{Browser, Desktop, Window, steps};
//!
//! # async fn example() -> anyhow::Result<()> {
//! let desktop = Desktop::start().await?;
//! let mut browser = Browser::install(&desktop)?;
//! let window = Window::open(&desktop).await?;
//! let consent = steps::try_the_demo(&window, &mut browser).await?;
//! steps::allow(&consent, &window).await?;
//! # Ok(())
//! # }
//! ```

mod app;
mod axe;
pub mod bare_client;
mod browser;
mod bus;
mod cli;
pub mod consent;
mod desktop;
mod display;
mod driver;
pub mod engine;
mod fake_opener;
pub mod folder_watch;
mod keychain_watch;
mod keyring;
mod kill_switch;
pub mod large_server;
mod launched_app;
mod notes;
mod notification_server;
mod page;
pub mod paths;
mod piped_process;
mod portal;
mod process;
mod prompter;
mod requirements;
mod self_signed_server;
pub mod steps;
mod tray_host;
mod unresponsive_keychain;
pub mod wait;
mod window;
mod windows;

pub use app::App;
pub use axe::{Rules, violations};
pub use browser::Browser;
pub use bus::Bus;
pub use cli::Cli;
pub use desktop::{Desktop, DesktopOptions};
pub use display::Display;
pub use driver::Driver;
pub use fake_opener::FakeOpener;
pub use keychain_watch::KeychainWatch;
pub use keyring::Keyring;
pub use kill_switch::KillSwitch;
pub use launched_app::LaunchedApp;
pub use notes::Notes;
pub use notification_server::{Notification, NotificationServer};
pub use page::Page;
pub use piped_process::{Output, PipedProcess};
pub use portal::{ColorScheme, Portal};
pub use process::{Process, free_port};
pub use prompter::Prompter;
pub use self_signed_server::SelfSignedServer;
pub use tray_host::{MenuItem, TrayHost};
pub use unresponsive_keychain::UnresponsiveKeychain;
pub use window::{Window, WindowOptions};
pub use windows::Windows;
