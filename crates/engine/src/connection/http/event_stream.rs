//! Server-sent events in an HTTP body, with a limit on the size of one event.

use std::io;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use rmcp::transport::streamable_http_client::SseError;
use sse_stream::{Sse, SseStream};

/// Parses a body as events. An event of more than `max_event` bytes ends the stream with an error.
pub(crate) fn event_stream<B, E>(
    body: impl Stream<Item = Result<B, E>> + Send + 'static,
    max_event: usize,
) -> BoxStream<'static, Result<Sse, SseError>>
where
    B: AsRef<[u8]> + Into<bytes::Bytes> + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let mut bound = EventBound { max_event, size: 0, line_is_empty: true };
    let bounded = body.map(move |chunk| {
        let chunk: bytes::Bytes = chunk.map_err(io::Error::other)?.into();
        bound.take(&chunk)?;
        Ok::<_, io::Error>(chunk)
    });
    SseStream::from_bytes_stream(bounded).boxed()
}

/// Counts bytes since the last empty line, which ends an event.
struct EventBound {
    max_event: usize,
    size: usize,
    line_is_empty: bool,
}

impl EventBound {
    fn take(&mut self, chunk: &[u8]) -> io::Result<()> {
        for byte in chunk {
            self.size += 1;
            match byte {
                b'\n' if self.line_is_empty => self.size = 0,
                b'\n' => self.line_is_empty = true,
                b'\r' => {}
                _ => self.line_is_empty = false,
            }
            if self.size > self.max_event {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "an event of the stream is too large",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(chunks: &[&'static str], max_event: usize) -> Vec<Result<Option<String>, ()>> {
        let body = futures::stream::iter(
            chunks.iter().map(|chunk| Ok::<_, io::Error>(chunk.as_bytes())).collect::<Vec<_>>(),
        );
        event_stream(body, max_event)
            .map(|event| event.map(|event| event.data).map_err(|_| ()))
            .collect()
            .await
    }

    #[tokio::test]
    async fn many_small_events_pass() {
        let events = read(&["data: a\n\ndata", ": b\r\n\r\n", "data: c\n\n"], 16).await;
        assert_eq!(events, ["a", "b", "c"].map(|data| Ok(Some(data.to_owned()))));
    }

    #[tokio::test]
    async fn one_large_event_ends_the_stream_with_an_error() {
        let events = read(&["data: a\n\n", "data: 0123456789", "0123456789\n\n"], 16).await;
        assert_eq!(events.first(), Some(&Ok(Some("a".to_owned()))));
        assert_eq!(events.get(1), Some(&Err(())));
    }
}
