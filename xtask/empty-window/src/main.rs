//! Opens an empty window, and says when it was painted.

/// The page calls this in the second frame after its content is there: the first has been painted then.
#[tauri::command]
fn painted() {
    eprintln!("usher-ready");
}

fn main() -> tauri::Result<()> {
    tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![painted])
        .run(tauri::generate_context!())
}
