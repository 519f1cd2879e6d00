//! Server-sent events in an HTTP body, read as leniently as the HTML standard asks for (§9.2.6).

use std::io;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, future, stream};
use rmcp::transport::streamable_http_client::SseError;
use sse_stream::Sse;
use usher_budgets as budgets;

/// Reads a body as events. An event of more than `max_event` bytes ends the stream with an error.
pub(crate) fn event_stream<B, E>(
    body: impl Stream<Item = Result<B, E>> + Send + 'static,
    max_event: usize,
) -> BoxStream<'static, Result<Sse, SseError>>
where
    B: AsRef<[u8]> + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let mut parser = EventParser::new(max_event);
    // `None` stands for the end of the body.
    let chunks = body.map(|chunk| chunk.map(Some)).chain(stream::once(future::ready(Ok(None))));
    let events = chunks.map(move |chunk| match chunk {
        Ok(Some(bytes)) => parser.push(bytes.as_ref()),
        Ok(None) => parser.finish(),
        Err(error) => vec![Err(SseError::Body(Box::new(io::Error::other(error))))],
    });
    let until_error = events.flat_map(stream::iter).scan(false, |has_ended, event| {
        let item = (!*has_ended).then_some(event);
        *has_ended |= matches!(item, Some(Err(_)));
        future::ready(item)
    });
    until_error.boxed()
}

/// The state of the parser between two chunks.
struct EventParser {
    max_event: usize,
    /// The line so far, without its end.
    line: Vec<u8>,
    /// Whether the last byte was a carriage return. A line feed after it belongs to the same end of line.
    after_return: bool,
    is_first_line: bool,
    /// The fields of the event so far.
    event: Sse,
}

type Events = Vec<Result<Sse, SseError>>;

impl EventParser {
    fn new(max_event: usize) -> Self {
        let (line, event) = (Vec::new(), Sse::default());
        Self { max_event, line, after_return: false, is_first_line: true, event }
    }

    fn push(&mut self, chunk: &[u8]) -> Events {
        let mut events = Vec::new();
        for part in chunk.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, end) = match part {
                [text @ .., end @ (b'\n' | b'\r')] => (text, Some(*end)),
                text => (text, None),
            };
            let after_return = std::mem::replace(&mut self.after_return, end == Some(b'\r'));
            if after_return && part == b"\n" {
                continue;
            }
            let data = self.event.data.as_ref().map_or(0, String::len);
            if self.line.len() + text.len() + data > self.max_event {
                let error =
                    io::Error::new(io::ErrorKind::FileTooLarge, "an event of the stream is too large");
                events.push(Err(SseError::Body(Box::new(error))));
                break;
            }
            self.line.extend_from_slice(text);
            if end.is_some() {
                events.extend(self.end_line().map(Ok));
            }
        }
        events
    }

    /// Ends the last line and the last event, because some servers close the body without an empty line.
    fn finish(&mut self) -> Events {
        let mut events: Events = self.end_line().map(Ok).into_iter().collect();
        events.extend(self.end_event().map(Ok));
        events
    }

    /// Reads the field in the line. Returns the event if the line is empty.
    fn end_line(&mut self) -> Option<Sse> {
        // A line can be large, so it is moved where possible.
        let line = String::from_utf8(std::mem::take(&mut self.line));
        let mut line = line.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        if std::mem::take(&mut self.is_first_line) && line.starts_with('\u{FEFF}') {
            line.remove(0);
        }
        if line.is_empty() {
            return self.end_event();
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => match &mut self.event.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => {
                    let start = line.len() - value.len();
                    line.drain(..start);
                    self.event.data = Some(line);
                }
            },
            "event" => self.event.event = Some(value.to_owned()),
            "id" if !value.contains('\0') && value.len() <= budgets::EVENT_ID_BYTES => {
                self.event.id = Some(value.to_owned());
            }
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                let wait = value.parse().ok();
                self.event.retry = wait.map(|wait: u64| wait.max(budgets::SHORTEST_RETRY_MILLIS));
            }
            // A comment, or an unknown or invalid field.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Sse> {
        let event = std::mem::take(&mut self.event);
        (event != Sse::default()).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(chunks: &[&'static str], max_event: usize) -> Vec<Result<Sse, ()>> {
        let body =
            stream::iter(chunks.iter().map(|chunk| Ok::<_, io::Error>(chunk.as_bytes())).collect::<Vec<_>>());
        event_stream(body, max_event).map(|event| event.map_err(|_| ())).collect().await
    }

    fn data(text: &str) -> Sse {
        Sse::default().data(text)
    }

    #[tokio::test]
    async fn every_stream_that_the_standard_allows_is_read() {
        let cases: [(&[&str], Vec<Sse>); 16] = [
            (&["data: a\n\ndata", ": b\r\n\r\n", "data: c\n\n"], vec![data("a"), data("b"), data("c")]),
            (&["data: a\r\rdata: b\r\r"], vec![data("a"), data("b")]),
            (&["data: a\r", "\n\r", "\ndata: b\n\n"], vec![data("a"), data("b")]),
            (&["data: one\ndata: two\n\n"], vec![data("one\ntwo")]),
            (&["data:a\n\ndata:  b\n\n"], vec![data("a"), data(" b")]),
            (&["data\ndata\n\n"], vec![data("\n")]),
            (&["data:\n\n"], vec![data("")]),
            (&[": comment\n\n:\n\n\n\ndata: a\n\n"], vec![data("a")]),
            (&["unknown: x\nnonsense\ndata: a\n\n"], vec![data("a")]),
            (&["Data: x\n\ndata : x\n\n"], vec![]),
            (&["\u{FEFF}data: a\n\n"], vec![data("a")]),
            (&["id: 1\nevent: message\ndata: a\n\n"], vec![data("a").id("1").event("message")]),
            (&["id: 1\n\n"], vec![Sse::default().id("1")]),
            (
                &["retry: 5000\n\n", "retry: 0\n\nretry: 5s\n\n"],
                vec![Sse::default().retry(5000), Sse::default().retry(1000)],
            ),
            (&["data: a\n\ndata: b"], vec![data("a"), data("b")]),
            (&["data: a\n\ndata: b\n"], vec![data("a"), data("b")]),
        ];
        for (chunks, expected) in cases {
            let expected: Vec<_> = expected.into_iter().map(Ok).collect();
            assert_eq!(read(chunks, 64).await, expected, "{chunks:?}");
        }
    }

    #[tokio::test]
    async fn invalid_text_is_replaced() {
        let body = stream::iter([Ok::<_, io::Error>(b"data: \xff\n\n".to_vec())]);
        let events: Vec<_> = event_stream(body, 64).collect().await;
        assert!(matches!(&events[..], [Ok(event)] if event.data.as_deref() == Some("\u{FFFD}")));
    }

    #[tokio::test]
    async fn one_large_event_ends_the_stream_with_an_error() {
        for large in [["data: 0123456789", "0123456789\n\n"], ["data: 0123456\nda", "ta: 0123456789\n\n"]] {
            let events = read(&["data: a\n\n", large[0], large[1], "data: b\n\n"], 16).await;
            assert_eq!(events, [Ok(data("a")), Err(())], "{large:?}");
        }
    }

    #[tokio::test]
    async fn many_comments_are_no_event() {
        let comments = [": 0123456789\n"; 10];
        assert_eq!(read(&comments, 16).await, []);
    }

    #[tokio::test]
    async fn a_long_id_is_ignored() {
        let line: &'static str = Box::leak(format!("id: {}\ndata: a\n\n", "x".repeat(1025)).into_boxed_str());
        assert_eq!(read(&[line], 4096).await, [Ok(data("a"))]);
    }
}
