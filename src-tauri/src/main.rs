//! Wires.

fn main() {}
