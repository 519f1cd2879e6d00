//! The app's process, from its arguments to its end.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tauri::{AppHandle, Manager, RunEvent, WindowEvent};
use tauri_plugin_window_state::StateFlags;
use usher_config::Environment;

use crate::desktop_features::DesktopFeatures;
use crate::engine_slot::EngineSlot;
use crate::events::Closing;
use crate::links::deep_link::{self, Arguments};
use crate::notices::NoticeQueue;
use crate::options::{Options, Paths};
use crate::running_instance::{self, HandOver};
use crate::settings::Settings;
use crate::window::unsaved_text::UnsavedText;
use crate::{bindings, logging, start, window};

/// How long the engine may take to stop. This is slightly longer than the engine's own deadline for finishing a
/// refresh, and keeps a quit under two seconds.
const STOP_TIMEOUT: Duration = Duration::from_millis(1950);

/// Runs the app until the person quits it, or closes its window when there is no tray.
///
/// If the app is already running, shows the existing window instead, unless the start is hidden. If the app is started
/// by a link and another process holds the engine, passes the link to that process.
pub fn run() -> ExitCode {
    usher_secrets::forbid_core_dumps();
    logging::init();
    let mut arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let program = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let environment = Environment::of_process();
    match deep_link::parse(&arguments) {
        Arguments::Flags => {
            let options = Options::parse_from(std::iter::once(program).chain(arguments));
            let hidden = options.hidden;
            let paths = options.paths(&environment);
            if running_instance::is_app_running(&paths, !hidden) {
                return ExitCode::SUCCESS;
            }
            run_app(paths, StartMode { link: None, hidden })
        }
        Arguments::Link(address) => {
            let paths = Options::parse_from([program]).paths(&environment);
            // The single-instance plugin is not enough: the engine may be running in a command's process, or there may
            // be no session bus.
            match running_instance::hand_over_at_start(&paths, address) {
                HandOver::Accepted => ExitCode::SUCCESS,
                // If the exit code reported a failure, launchers would offer the link to other programs.
                HandOver::Rejected => {
                    tracing::warn!("the running Usher rejected this link");
                    ExitCode::SUCCESS
                }
                HandOver::NotRunning => run_app(paths, StartMode::with_link(address)),
            }
        }
        Arguments::Rejected => {
            tracing::warn!("rejected a link that came with other arguments");
            ExitCode::from(2)
        }
    }
}

struct StartMode {
    link: Option<String>,
    /// Whether to start without a window if there is a tray.
    hidden: bool,
}

impl StartMode {
    /// The mode when a link starts the app. The window opens, because the person is in the middle of a sign-in.
    fn with_link(address: &str) -> Self {
        Self { link: Some(address.to_owned()), hidden: false }
    }
}

fn run_app(paths: Paths, mode: StartMode) -> ExitCode {
    match build(paths, mode) {
        Ok(app) => {
            app.run(|app, event| match event {
                // No exit code: the last window was closed. "Quit" sets an exit code.
                RunEvent::ExitRequested { code: None, api, .. } if stays_in_tray(app) => api.prevent_exit(),
                RunEvent::Exit => stop(app),
                _ => {}
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "Usher could not start");
            ExitCode::FAILURE
        }
    }
}

fn build(paths: Paths, StartMode { link, hidden }: StartMode) -> tauri::Result<tauri::App> {
    let bindings = bindings::bindings();
    let window_state = paths.state_dir.join("window.json").to_string_lossy().into_owned();
    let builder = tauri::Builder::default()
        // Must be the first plugin: a second process must find the first one before it does anything else.
        .plugin(tauri_plugin_single_instance::init(|app, arguments, _folder| {
            deep_link::handle_second_start(app, &arguments);
        }))
        .plugin(
            tauri_plugin_window_state::Builder::new()
                .with_filename(window_state)
                .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
                .build(),
        );
    #[cfg(not(target_os = "linux"))]
    let builder = builder.plugin(tauri_plugin_deep_link::init());
    builder
        .invoke_handler(bindings.invoke_handler())
        .on_window_event(|window, event| match event {
            WindowEvent::Focused(focused) => window.state::<NoticeQueue>().set_window_focused(*focused),
            WindowEvent::CloseRequested { api, .. }
                if !window::may_end(window.app_handle(), Closing::Window) =>
            {
                api.prevent_close();
            }
            WindowEvent::Destroyed => {
                window.state::<NoticeQueue>().set_window_focused(false);
                window.state::<UnsavedText>().set(false);
            }
            _ => {}
        })
        .setup(move |app| {
            bindings.mount_events(app);
            let handle = app.handle();
            start::manage_state(handle, paths, link.is_some());
            if !hidden {
                window::build(handle, app.state::<Settings>().appearance())?;
            }
            start::start_parts(handle, link);
            Ok(())
        })
        .build(tauri::generate_context!())
}

/// Whether the app keeps running without its window. The first time, a notification says so.
fn stays_in_tray(app: &AppHandle) -> bool {
    let stays = app.state::<DesktopFeatures>().has_tray();
    if stays && !app.state::<Settings>().tray_notice_shown() {
        app.state::<NoticeQueue>().announce_tray();
    }
    stays
}

/// Stops the engine within [`STOP_TIMEOUT`].
fn stop(app: &AppHandle) {
    let engine = app.state::<EngineSlot>();
    tauri::async_runtime::block_on(async {
        if tokio::time::timeout(STOP_TIMEOUT, engine.stop()).await.is_err() {
            tracing::warn!("the engine did not stop in time");
        }
    });
}
