//! Builds the app and runs it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tauri::{AppHandle, Manager, RunEvent, WindowEvent};
use tauri_plugin_window_state::StateFlags;
use usher_config::Environment;

use crate::deep_link::Start;
use crate::options::{Options, Places};
use crate::running::{self, HandedOver};
use crate::shell::{self, Shell};
use crate::{autostart, bindings, deep_link, events, harden, logging, notice, tray, window};

/// How long the engine may take to put things in order, a little more than it gives itself: who quits is gone in less
/// than two seconds, and a renewal that is nearly done is not cut off.
const STOPS_WITHIN: Duration = Duration::from_millis(1950);

/// Runs the app until the person quits it, or closes its window where there is no tray; or, for a link that belongs to
/// an engine that runs already, hands it over.
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
            let hidden = options.hidden;
            let places = options.places(&environment);
            if running::is_app(&places, !hidden) {
                return ExitCode::SUCCESS;
            }
            run_app(places, Opening { link: None, hidden })
        }
        Start::Link(address) => {
            let places = Options::parse_from([program]).places(&environment);
            // The engine may be the command line's, or there may be no session bus to find the window by.
            match running::hand_over_at_start(&places, address) {
                HandedOver::Taken => ExitCode::SUCCESS,
                // Not a failure: launchers answer one by offering the link to other programs.
                HandedOver::Refused => {
                    tracing::warn!("the running Usher has no use for this link");
                    ExitCode::SUCCESS
                }
                HandedOver::NobodyThere => run_app(places, Opening::by_link(address)),
            }
        }
        Start::Refused => {
            tracing::warn!("a link takes no other arguments");
            ExitCode::from(2)
        }
    }
}

/// How the app is started.
struct Opening {
    link: Option<String>,
    /// Without a window, where there is a tray.
    hidden: bool,
}

impl Opening {
    /// The window is open then: the person is in the middle of a sign-in.
    fn by_link(address: &str) -> Self {
        Self { link: Some(address.to_owned()), hidden: false }
    }
}

fn run_app(places: Places, opening: Opening) -> ExitCode {
    match build(places, opening) {
        Ok(app) => {
            app.run(|app, event| match event {
                // The last window was closed; a code stands for "Quit".
                RunEvent::ExitRequested { code: None, api, .. } if stays_in_tray(app) => api.prevent_exit(),
                RunEvent::Exit => stop(app),
                _ => {}
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "Usher did not start");
            ExitCode::FAILURE
        }
    }
}

fn build(places: Places, Opening { link, hidden }: Opening) -> tauri::Result<tauri::App> {
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
        .on_window_event(|window, event| match event {
            WindowEvent::Focused(in_front) => window.state::<Shell>().notices.window_in_front(*in_front),
            WindowEvent::Destroyed => window.state::<Shell>().notices.window_in_front(false),
            _ => {}
        })
        .setup(move |app| {
            bindings.mount_events(app);
            let handle = app.handle();
            let shell = Shell::new(places, link.is_some());
            let appearance = shell.settings.appearance();
            app.manage(shell);
            if !hidden {
                window::build(handle, appearance)?;
            }
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
    app.state::<Shell>().desktop.set_autostart(autostart::state(app));
    events::forward_desktop(app);
    tray::begin(app);
    notice::begin(app);
    window::stay_within_reach(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move { shell::start(&app).await });
}

/// Whether the app goes on without its window. It says where it went until a notification has told that once.
fn stays_in_tray(app: &AppHandle) -> bool {
    let shell = app.state::<Shell>();
    let stays = shell.desktop.has_tray();
    if stays && !shell.settings.knows_of_tray() {
        shell.notices.tell_of_tray();
    }
    stays
}

/// Lets the engine put things in order, for a moment.
fn stop(app: &AppHandle) {
    let engine = &app.state::<Shell>().engine;
    tauri::async_runtime::block_on(async {
        if tokio::time::timeout(STOPS_WITHIN, engine.stop()).await.is_err() {
            tracing::warn!("the engine did not stop in time");
        }
    });
}
