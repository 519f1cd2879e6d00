//! Prepares the window's page to be embedded.

fn main() {
    tauri_build::build();
}
