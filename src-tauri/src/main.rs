//! Wires.

fn main() {
    usher_shell::run();
}
