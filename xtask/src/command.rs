//! Child processes. All have a deadline, except those that end quickly.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::leftovers;

/// Runs a command that inherits stdout and stderr. Fails unless the exit code is 0.
pub fn run(command: &mut Command, deadline: Duration) -> Result<()> {
    let status = status(command, deadline)?;
    if !status.success() {
        bail!("{} failed ({status})", display(command));
    }
    Ok(())
}

/// Runs a command without showing its output. If the command fails, its output is part of the error.
pub fn run_quietly(command: &mut Command, deadline: Duration) -> Result<()> {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| format!("start {}", display(command)))?;
    let streams: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|out| Box::new(out) as _),
        child.stderr.take().map(|err| Box::new(err) as _),
    ];
    thread::scope(|scope| {
        let readers = streams.map(|stream| {
            scope.spawn(move || {
                let mut output = Vec::new();
                // A read error only shortens the message.
                let _ = stream.map(|mut stream| stream.read_to_end(&mut output));
                output
            })
        });
        let status = wait(&mut child, deadline).with_context(|| display(command))?;
        let output = readers.map(|reader| reader.join().unwrap_or_default()).concat();
        if !status.success() {
            bail!("{} failed ({status}):\n{}", display(command), String::from_utf8_lossy(&output).trim_end());
        }
        Ok(())
    })
}

/// Runs a command that inherits stdout and stderr. At the deadline, stops the child and all its descendants.
pub fn status(command: &mut Command, deadline: Duration) -> Result<ExitStatus> {
    let mut child =
        command.stdin(Stdio::null()).spawn().with_context(|| format!("start {}", display(command)))?;
    wait(&mut child, deadline).with_context(|| display(command))
}

/// Runs a command like [`status`]. Prints each line of the command's stdout, and passes the line to `read`.
pub fn status_and_lines(
    command: &mut Command,
    deadline: Duration,
    mut read: impl FnMut(&str) + Send,
) -> Result<ExitStatus> {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| format!("start {}", display(command)))?;
    let lines = BufReader::new(child.stdout.take().context("the command's output")?).lines();
    thread::scope(|scope| {
        scope.spawn(move || {
            for line in lines.map_while(std::io::Result::ok) {
                println!("{line}");
                read(&line);
            }
        });
        wait(&mut child, deadline).with_context(|| display(command))
    })
}

/// Returns the stdout of a command that ends quickly.
pub fn output(command: &mut Command) -> Result<String> {
    try_output(command).with_context(|| format!("{} failed", display(command)))
}

/// Returns the stdout of a command that ends quickly; none if the program is missing or fails.
pub fn try_output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Waits for a child. At the deadline, stops the child and returns an error.
pub fn wait(child: &mut Child, deadline: Duration) -> Result<ExitStatus> {
    let started = Instant::now();
    // `Child::wait` has no deadline, so the child is polled.
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if started.elapsed() > deadline {
            leftovers::end_tree(child);
            bail!("did not end within {} s and was stopped", deadline.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The program and its arguments, joined by spaces.
pub fn display(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_with_its_arguments() {
        assert_eq!(display(Command::new("apt-get").args(["install", "xvfb"])), "apt-get install xvfb");
    }

    #[test]
    fn a_missing_program_has_no_output() {
        assert_eq!(try_output(&mut Command::new("usher-no-such-program")), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_names_the_command() {
        let error = run(&mut Command::new("false"), Duration::from_secs(10)).expect_err("false fails");
        assert_eq!(error.to_string(), "false failed (exit status: 1)");
    }

    #[cfg(unix)]
    #[test]
    fn a_quiet_command_shows_its_output_when_it_fails() {
        let mut command = Command::new("sh");
        let error = run_quietly(command.args(["-c", "echo no; exit 3"]), Duration::from_secs(10));
        let message = error.expect_err("it fails").to_string();
        assert_eq!(message, "sh -c echo no; exit 3 failed (exit status: 3):\nno");
    }

    #[cfg(unix)]
    #[test]
    fn lines_are_read_as_they_are_printed() {
        let mut lines = Vec::new();
        let mut echo = Command::new("printf");
        status_and_lines(echo.arg("one\ntwo\n"), Duration::from_secs(10), |line| lines.push(line.to_owned()))
            .expect("printf runs");
        assert_eq!(lines, ["one", "two"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_child_is_stopped_at_its_deadline() {
        let started = Instant::now();
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep starts");
        let error = wait(&mut child, Duration::from_millis(50)).expect_err("the deadline passes");
        assert_eq!(error.to_string(), "did not end within 0 s and was stopped");
        assert!(started.elapsed() < Duration::from_secs(30));
        assert!(child.try_wait().expect("the child was waited for").is_some());
    }
}
