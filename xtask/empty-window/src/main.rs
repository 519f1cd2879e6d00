//! Opens an empty window, and says when it was painted. `--without-window` runs the bare runtime and opens none.

/// The page calls this in the second frame after its content is there: the first has been painted then.
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
