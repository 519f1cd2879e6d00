//! Builds the app and runs it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tauri::{AppHandle, Manager, RunEvent};
use tauri_plugin_window_state::StateFlags;
use usher_config::Environment;
use usher_engine::{HandOverError, hand_over_link};

use crate::deep_link::Start;
use crate::options::{Options, Places};
use crate::shell::{self, Shell};
use crate::{bindings, deep_link, harden, logging, window};

/// Runs the app until its window is closed; or, for a link that belongs to an engine that runs already, hands it over.
pub fn run() -> ExitCode {
    harden::harden();
    logging::begin();
    let mut arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let program = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let environment = Environment::of_process();
    match deep_link::read(&arguments) {
        Start::Window => {
            let options = Options::parse_from(std::iter::once(program).chain(arguments));
            run_window(options.places(&environment), None)
        }
        Start::Link(address) => {
            let places = Options::parse_from([program]).places(&environment);
            // The engine may be the command line's, or there may be no session bus to find the window by.
            match hand_over_link(&places.runtime_dir, address) {
                Ok(()) => ExitCode::SUCCESS,
                // Not a failure: launchers answer one by offering the link to other programs.
                Err(HandOverError::Refused) => {
                    tracing::warn!("the running Usher has no use for this link");
                    ExitCode::SUCCESS
                }
                Err(HandOverError::NotRunning) => run_window(places, Some(address.to_owned())),
                Err(HandOverError::Io(error)) => {
                    tracing::warn!(%error, "the running Usher cannot be asked; looking for its window");
                    run_window(places, Some(address.to_owned()))
                }
            }
        }
        Start::Refused => {
            tracing::warn!("a link takes no other arguments");
            ExitCode::from(2)
        }
    }
}

fn run_window(places: Places, link: Option<String>) -> ExitCode {
    match build(places, link) {
        Ok(app) => {
            app.run(|app, event| {
                if let RunEvent::Exit = event {
                    stop(app);
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "Usher did not start");
            ExitCode::FAILURE
        }
    }
}

fn build(places: Places, link: Option<String>) -> tauri::Result<tauri::App> {
    let bindings = bindings::bindings();
    let window_state = places.state_dir.join("window.json").to_string_lossy().into_owned();
    let builder = tauri::Builder::default()
        // First of all plugins: a second process must find the first one before it does anything else.
        .plugin(tauri_plugin_single_instance::init(|app, arguments, _folder| {
            deep_link::another_start(app, &arguments);
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
        .setup(move |app| {
            bindings.mount_events(app);
            let handle = app.handle();
            let shell = Shell::new(places, link.is_some());
            let appearance = shell.settings.appearance();
            app.manage(shell);
            window::build(handle, appearance)?;
            begin(handle, link);
            Ok(())
        })
        .build(tauri::generate_context!())
}

/// Starts the engine beside the window. A link that the app was started by waits for it.
fn begin(app: &AppHandle, link: Option<String>) {
    #[cfg(target_os = "macos")]
    deep_link::listen(app);
    if let Some(address) = link {
        deep_link::deliver_first(app, address);
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move { shell::start(&app).await });
}

/// Lets the engine put things in order, for a moment.
fn stop(app: &AppHandle) {
    if let Some(engine) = app.state::<Shell>().engine.running() {
        tauri::async_runtime::block_on(async {
            if tokio::time::timeout(Duration::from_secs(3), engine.stop()).await.is_err() {
                tracing::warn!("the engine did not stop in time");
            }
        });
    }
}
