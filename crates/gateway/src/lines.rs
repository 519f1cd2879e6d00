//! The lines of a client: one JSON-RPC message each (MCP, transport stdio).

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The longest message of a client, in bytes. Arguments can contain files as Base64.
pub(crate) const MAX_LINE: usize = 20 * 1024 * 1024;

/// One line, without its end.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    Text(String),
    /// The line was longer than [`MAX_LINE`], and was skipped.
    TooLong,
    /// The line is not UTF-8.
    NotText,
}

/// Reads the next line that is not blank. Returns `None` at the end. Drops an unfinished last line.
pub(crate) async fn next_line(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Line>> {
    loop {
        let mut line = Vec::new();
        let mut is_too_long = false;
        loop {
            let available = reader.fill_buf().await?;
            if available.is_empty() {
                return Ok(None);
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            is_too_long |= line.len() + part.len() > MAX_LINE;
            if is_too_long {
                line = Vec::new();
            } else {
                line.extend_from_slice(part);
            }
            let consumed = end.map_or(available.len(), |end| end + 1);
            reader.consume(consumed);
            if end.is_some() {
                break;
            }
        }
        if is_too_long {
            return Ok(Some(Line::TooLong));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(String::from_utf8(line).map_or(Line::NotText, Line::Text)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(mut text: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut text).await.expect("a slice never fails") {
            lines.push(line);
        }
        lines
    }

    #[tokio::test]
    async fn blank_lines_are_skipped_and_an_unfinished_line_is_dropped() {
        let text = |text: &str| Line::Text(text.to_owned());
        assert_eq!(lines(b"{}\r\n\n \r\n[1]\nunfinished").await, [text("{}\r"), text("[1]")]);
        assert_eq!(lines(b"\xff\n{}\n").await, [Line::NotText, text("{}")]);
    }

    #[tokio::test]
    async fn a_line_above_the_limit_is_skipped() {
        let mut text = vec![b'x'; MAX_LINE + 1];
        text.extend(b"\n{}\n");
        assert_eq!(lines(&text).await, [Line::TooLong, Line::Text("{}".to_owned())]);
        assert_eq!(lines(&text[1..]).await.len(), 2);
        assert_ne!(lines(&text[1..]).await[0], Line::TooLong);
    }
}
