//! An empty window that reports its first paint. `--without-window` runs the bare runtime without a window.

/// Called by the page in the second frame after its content is loaded, when the first frame has been painted.
#[tauri::command]
fn painted() {
    eprintln!("usher-ready");
}

fn main() -> tauri::Result<()> {
    let mut context = tauri::generate_context!();
    if std::env::args().any(|argument| argument == "--without-window") {
        context.config_mut().app.windows.clear();
    }
    tauri::Builder::default().invoke_handler(tauri::generate_handler![painted]).run(context)
}
