//! JSON lines, with a maximum length and a deadline for each line.

use std::io;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// A hello contains only paths and names.
pub(crate) const MAX_HELLO: usize = 64 * 1024;
/// The command line accepts 16 MiB of tool arguments. JSON escapes make them longer.
pub(crate) const MAX_REQUEST: usize = 20 * 1024 * 1024;
/// The largest replies are lists with every schema, and calls with images.
pub(crate) const MAX_REPLY: usize = 64 * 1024 * 1024;

/// How long one line may take from its first byte to its last, in either direction.
const LINE_DEADLINE: Duration = Duration::from_secs(10);

/// The error of reading or writing a line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    #[error("the line is longer than {0} bytes")]
    TooLong(usize),
    #[error("the line timed out")]
    TooSlow,
    #[error("the line is not valid: {0}")]
    Malformed(serde_json::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A reader of JSON lines.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self { reader: BufReader::new(reader) }
    }

    /// Returns the reader, with what it has read ahead.
    pub fn into_reader(self) -> BufReader<R> {
        self.reader
    }

    /// Reads the next line; `None` at the end of the stream. The first byte has no deadline, because a client may have
    /// nothing to send. If the read is cancelled in the middle of a line, the part already read is lost.
    pub async fn next<T: DeserializeOwned>(&mut self, max: usize) -> Result<Option<T>, LineError> {
        if self.reader.fill_buf().await?.is_empty() {
            return Ok(None);
        }
        let line = timeout(LINE_DEADLINE, self.read_line(max)).await.map_err(|_| LineError::TooSlow)??;
        // serde_json rejects more than 128 levels of nesting.
        serde_json::from_slice(&line).map(Some).map_err(LineError::Malformed)
    }

    async fn read_line(&mut self, max: usize) -> Result<Vec<u8>, LineError> {
        let mut line = Vec::new();
        let limit = max as u64 + 1;
        (&mut self.reader).take(limit).read_until(b'\n', &mut line).await?;
        match line.pop() {
            Some(b'\n') => Ok(line),
            Some(_) if line.len() == max => Err(LineError::TooLong(max)),
            Some(_) | None => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }
}

/// Writes one line. Fails if the other side does not read it in time.
pub(crate) async fn write<T: Serialize>(
    writer: &mut (impl AsyncWrite + Unpin),
    message: &T,
    max: usize,
) -> Result<(), LineError> {
    let mut line = serde_json::to_vec(message).map_err(LineError::Malformed)?;
    if line.len() > max {
        return Err(LineError::TooLong(max));
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
    async fn a_line_that_is_too_long_invalid_or_truncated_is_an_error() {
        assert!(matches!(read(b"[1, 2, 3, 4, 5, 6]\n").await, Err(LineError::TooLong(16))));
        assert!(matches!(read(b"no json\n").await, Err(LineError::Malformed(_))));
        assert!(matches!(read(b"[1").await, Err(LineError::Io(_))));
        let deep = [b'['; 5000];
        let outcome = Lines::new(&[&deep[..], b"\n"].concat()[..]).next::<serde_json::Value>(9000).await;
        assert!(matches!(outcome, Err(LineError::Malformed(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_is_never_finished_times_out() {
        let (mut theirs, ours) = tokio::io::duplex(64);
        theirs.write_all(b"[1,").await.expect("write");
        let outcome = Lines::new(ours).next::<Vec<u32>>(16).await;
        assert!(matches!(outcome, Err(LineError::TooSlow)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_does_not_read_times_out() {
        let (mut ours, _theirs) = tokio::io::duplex(4);
        let outcome = write(&mut ours, &[1, 2, 3, 4], 64).await;
        assert!(matches!(outcome, Err(LineError::TooSlow)));
    }
}
