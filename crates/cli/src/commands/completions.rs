//! `usher completions SHELL`.

use clap::CommandFactory;

use crate::arguments::Arguments;

pub fn run(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Arguments::command(), "usher", &mut std::io::stdout());
}
