//! A writer for logs, which can contain a server's text.

use std::io::{self, Write};

use crate::display_text;

/// The number of characters of a line that are written.
const LONGEST_LINE: usize = 4000;

/// Writes each buffer as one line of sanitised text, because a log writes each message as one buffer. A server can then
/// neither send escape sequences to the terminal nor forge further lines.
pub struct DisplayWriter<W>(pub W);

impl<W: Write> Write for DisplayWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let line = display_text(&String::from_utf8_lossy(buffer), LONGEST_LINE);
        writeln!(self.0, "{line}")?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_without_escape_sequences() {
        let mut written = Vec::new();
        let hostile =
            "WARN the server says \u{1b}[2J\u{1b}]0;title\u{7}a\nERROR forged\r\u{202e}b\u{9b}31m\n";
        DisplayWriter(&mut written).write_all(hostile.as_bytes()).expect("write");
        assert_eq!(String::from_utf8(written).expect("UTF-8"), "WARN the server says a ERROR forged b\n");
    }
}
