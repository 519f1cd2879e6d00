//! JSON by the line, with a limit to its length and to the time that it may take once it has begun.

use std::io;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// The longest first line: places and names.
pub(crate) const LONGEST_OPENING: usize = 64 * 1024;
/// A tool's arguments may take 16 MiB (as the command line reads them), and JSON some more.
pub(crate) const LONGEST_REQUEST: usize = 20 * 1024 * 1024;
/// A listing with every schema, or a call's pictures.
pub(crate) const LONGEST_REPLY: usize = 64 * 1024 * 1024;

/// How long one line may take from its first byte to its last, either way.
const LINE_DEADLINE: Duration = Duration::from_secs(10);

/// Why a line was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    #[error("the line is longer than {0} bytes")]
    TooLong(usize),
    #[error("the line was not finished in time")]
    TooSlow,
    #[error("the line is not understood: {0}")]
    Malformed(serde_json::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The lines of one side.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self { reader: BufReader::new(reader) }
    }

    /// The next line; `None` at the end. Waits for its first byte for ever: a client may have nothing to say. Not to
    /// be cancelled in the middle.
    pub async fn next<T: DeserializeOwned>(&mut self, longest: usize) -> Result<Option<T>, LineError> {
        if self.reader.fill_buf().await?.is_empty() {
            return Ok(None);
        }
        let line = timeout(LINE_DEADLINE, self.line(longest)).await.map_err(|_| LineError::TooSlow)??;
        // serde_json goes 128 levels deep and refuses the rest.
        serde_json::from_slice(&line).map(Some).map_err(LineError::Malformed)
    }

    async fn line(&mut self, longest: usize) -> Result<Vec<u8>, LineError> {
        let mut line = Vec::new();
        loop {
            let here = self.reader.fill_buf().await?;
            if here.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            let end = here.iter().position(|byte| *byte == b'\n');
            let part = &here[..end.unwrap_or(here.len())];
            if line.len() + part.len() > longest {
                return Err(LineError::TooLong(longest));
            }
            line.extend_from_slice(part);
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(line);
            }
        }
    }
}

/// Writes one line. A reader that does not read is an error.
pub(crate) async fn write<T: Serialize>(
    writer: &mut (impl AsyncWrite + Unpin),
    message: &T,
    longest: usize,
) -> Result<(), LineError> {
    let mut line = serde_json::to_vec(message).map_err(LineError::Malformed)?;
    if line.len() > longest {
        return Err(LineError::TooLong(longest));
    }
    line.push(b'\n');
    timeout(LINE_DEADLINE, writer.write_all(&line)).await.map_err(|_| LineError::TooSlow)??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Result<Option<Vec<u32>>, LineError> {
        Lines::new(bytes).next(16).await
    }

    #[tokio::test]
    async fn lines_are_read_one_by_one() {
        let mut lines = Lines::new(&b"[1]\n[2, 3]\n"[..]);
        assert_eq!(lines.next::<Vec<u32>>(16).await.expect("a line"), Some(vec![1]));
        assert_eq!(lines.next::<Vec<u32>>(16).await.expect("a line"), Some(vec![2, 3]));
        assert_eq!(lines.next::<Vec<u32>>(16).await.expect("the end"), None);
    }

    #[tokio::test]
    async fn what_is_too_long_broken_or_cut_off_is_an_error() {
        assert!(matches!(read(b"[1, 2, 3, 4, 5, 6]\n").await, Err(LineError::TooLong(16))));
        assert!(matches!(read(b"no json\n").await, Err(LineError::Malformed(_))));
        assert!(matches!(read(b"[1").await, Err(LineError::Io(_))));
        let deep = [b'['; 5000];
        let outcome = Lines::new(&[&deep[..], b"\n"].concat()[..]).next::<serde_json::Value>(9000).await;
        assert!(matches!(outcome, Err(LineError::Malformed(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_is_never_finished_is_given_up() {
        let (mut theirs, ours) = tokio::io::duplex(64);
        theirs.write_all(b"[1,").await.expect("written");
        let outcome = Lines::new(ours).next::<Vec<u32>>(16).await;
        assert!(matches!(outcome, Err(LineError::TooSlow)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_does_not_read_is_given_up() {
        let (mut ours, _theirs) = tokio::io::duplex(4);
        let outcome = write(&mut ours, &[1, 2, 3, 4], 64).await;
        assert!(matches!(outcome, Err(LineError::TooSlow)));
    }
}
