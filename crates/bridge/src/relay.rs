//! The lines in both directions. When the engine restarts, the client does not notice, except for its open requests.

use std::io::{self, BufRead, Read as _, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use usher_api::{BridgeHello, ErrorView};

use crate::connection::{Connection, Failure};
use crate::conversation::{Conversation, error, request_id};
use crate::engine_process;

/// The longest message of a client, in bytes: a little more than the gateway accepts.
const MAX_LINE: u64 = 21 * 1024 * 1024;
/// "Invalid request" (JSON-RPC 2.0).
const INVALID_REQUEST: i32 = -32600;
/// The engine refuses the client's target. The code is outside the range that JSON-RPC reserves.
const REFUSED: i32 = -31002;

/// The state that both directions share.
#[derive(Default)]
struct Shared {
    conversation: Conversation,
    /// `None` while there is no connection.
    engine: Option<UnixStream>,
}

/// Passes lines until the client closes its end.
pub fn run(hello: &BridgeHello) -> Result<(), String> {
    let connection = match engine_process::connect(hello) {
        Ok(connection) => connection,
        Err(Failure::Refused(error)) => return refuse(&error),
        Err(failure) => return Err(sentence(failure)),
    };
    let shared = Arc::new((Mutex::new(Shared::default()), Condvar::new()));
    let for_client = Arc::clone(&shared);
    // The client's end ends the process.
    thread::spawn(move || {
        read_client(&for_client);
        std::process::exit(0);
    });
    let mut connection = connection;
    loop {
        let reader = accept(&shared, connection).map_err(|error| error.to_string())?;
        read_engine(&shared, reader).map_err(|error| error.to_string())?;
        let lines = {
            let mut shared = lock(&shared.0);
            shared.engine = None;
            shared.conversation.lines_for_client()
        };
        write_client(lines.concat().as_bytes()).map_err(|error| error.to_string())?;
        connection = match engine_process::connect(hello) {
            Ok(connection) => connection,
            Err(failure) => return Err(sentence(failure)),
        };
    }
}

/// Repeats the client's handshake on a new connection, and lets its lines through.
fn accept(shared: &(Mutex<Shared>, Condvar), connection: Connection) -> io::Result<impl BufRead + use<>> {
    let Connection { reader, mut writer } = connection;
    let mut locked = lock(&shared.0);
    // A failed write shows at the next read.
    let _ = writer.write_all(locked.conversation.lines_for_engine().concat().as_bytes());
    locked.engine = Some(writer);
    shared.1.notify_all();
    Ok(reader)
}

/// Passes the client's lines to the engine.
fn read_client(shared: &(Mutex<Shared>, Condvar)) {
    let mut stdin = io::stdin().lock();
    let mut line = Vec::new();
    while let Ok(read) = read_line(&mut stdin, &mut line) {
        match read {
            Read::Line => {}
            Read::TooLong => {
                let text = format!("A message is longer than {MAX_LINE} bytes.");
                let _ = write_client(error("null", INVALID_REQUEST, &text).as_bytes());
                continue;
            }
            Read::End => return,
        }
        let mut locked = lock(&shared.0);
        while locked.engine.is_none() {
            locked = shared.1.wait(locked).unwrap_or_else(PoisonError::into_inner);
        }
        locked.conversation.note_client(&line);
        let engine = locked.engine.as_ref().and_then(|engine| engine.try_clone().ok());
        drop(locked);
        if let Some(mut engine) = engine {
            // A failed write shows at the next read.
            let _ = engine.write_all(&line);
        }
    }
}

/// Passes the engine's lines to the client until the connection ends. Fails if the client does not read.
fn read_engine(shared: &(Mutex<Shared>, Condvar), mut reader: impl BufRead) -> io::Result<()> {
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line), Ok(read) if read > 0) {
        if !line.ends_with(b"\n") {
            return Ok(());
        }
        let is_for_client = lock(&shared.0).conversation.note_engine(&line);
        if is_for_client {
            write_client(&line)?;
        }
        line.clear();
    }
    Ok(())
}

/// The outcome of reading one line.
#[derive(Debug, PartialEq)]
enum Read {
    Line,
    /// The line was skipped.
    TooLong,
    /// The stream ended. An unfinished line is dropped.
    End,
}

/// Reads one line with its end.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Read> {
    line.clear();
    reader.by_ref().take(MAX_LINE).read_until(b'\n', line)?;
    if line.ends_with(b"\n") {
        return Ok(Read::Line);
    }
    if (line.len() as u64) < MAX_LINE {
        return Ok(Read::End);
    }
    line.clear();
    reader.skip_until(b'\n')?;
    Ok(Read::TooLong)
}

fn write_client(lines: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(lines)?;
    stdout.flush()
}

/// Answers every request with the engine's refusal, so that the client shows the reason.
fn refuse(refusal: &ErrorView) -> Result<(), String> {
    let text = match &refusal.hint {
        Some(hint) => format!("{} {hint}", refusal.message),
        None => refusal.message.clone(),
    };
    eprintln!("usher-bridge: {text}");
    let mut stdin = io::stdin().lock();
    let mut line = Vec::new();
    while matches!(read_line(&mut stdin, &mut line), Ok(Read::Line | Read::TooLong)) {
        if let Some(id) = request_id(&line) {
            write_client(error(&id, REFUSED, &text).as_bytes()).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn sentence(failure: Failure) -> String {
    match failure {
        Failure::NotRunning => "Usher did not start. Run `usher serve` in a terminal to see why.".to_owned(),
        Failure::Refused(error) => error.message,
        Failure::Io(error) => format!("Could not connect to Usher ({error})."),
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut text: &[u8]) -> Vec<(Read, usize)> {
        let (mut line, mut lines) = (Vec::new(), Vec::new());
        loop {
            let read = read_line(&mut text, &mut line).expect("a slice never fails");
            if read == Read::End {
                return lines;
            }
            lines.push((read, line.len()));
        }
    }

    #[test]
    fn lines_have_a_limit_and_an_unfinished_one_is_dropped() {
        assert_eq!(read(b"{}\n\n[1"), [(Read::Line, 3), (Read::Line, 1)]);
        let long = [vec![b'x'; MAX_LINE as usize + 1], b"\n{}\n".to_vec()].concat();
        assert_eq!(read(&long), [(Read::TooLong, 0), (Read::Line, 3)]);
        assert_eq!(read(&long[1..MAX_LINE as usize]), []);
    }
}
