//! Decodes the file's bytes, and counts lines and columns.

use crate::{Diagnostic, Severity};

/// The size limit. A larger file is probably not `mcp.json`.
pub(crate) const MAX_BYTES: u64 = 4 * 1024 * 1024;

const BOM: &str = "\u{feff}";

/// Text without its byte order mark, which is restored on writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub body: String,
    pub has_bom: bool,
}

impl Text {
    /// Decodes UTF-8. The error points at the first invalid byte.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Diagnostic> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(problem(
                "",
                0,
                "the file is larger than 4 MiB",
                Some("Check that this is the right file."),
            ));
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(problem("", 0, "the file is saved as UTF-16", Some("Save it as UTF-8.")));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                let body = text.strip_prefix(BOM);
                Ok(Self { body: body.unwrap_or(text).to_owned(), has_bom: body.is_some() })
            }
            Err(error) => {
                let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                let valid = valid.strip_prefix(BOM).unwrap_or(&valid);
                let hint = Some("Save the file as UTF-8.");
                Err(problem(valid, valid.len(), "this byte is not valid UTF-8", hint))
            }
        }
    }

    /// The bytes to write to disk.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bom = if self.has_bom { BOM } else { "" };
        [bom, &self.body].concat().into_bytes()
    }
}

/// Returns an error that belongs to no server, at a byte offset.
pub(crate) fn problem(text: &str, offset: usize, message: &str, hint: Option<&str>) -> Diagnostic {
    let (line, column) = position(text, offset);
    Diagnostic {
        severity: Severity::Error,
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
        line,
        column,
        server: None,
    }
}

/// Returns the line and the column in characters of a byte offset, both counted from 1.
fn position(text: &str, offset: usize) -> (u32, u32) {
    Positions::new(text).of(offset)
}

/// Finds the positions of byte offsets. If the offsets mostly increase, this takes about one pass over the text.
pub(crate) struct Positions<'t> {
    text: &'t str,
    /// The start of the part being read. Offsets before `last` are counted from here.
    marked: Position,
    last: Position,
}

/// A byte offset with its line and column, both counted from 1.
#[derive(Clone, Copy)]
struct Position {
    offset: usize,
    line: u32,
    column: u32,
}

impl<'t> Positions<'t> {
    pub fn new(text: &'t str) -> Self {
        let start = Position { offset: 0, line: 1, column: 1 };
        Self { text, marked: start, last: start }
    }

    /// Marks the start of the part from which the next offsets come.
    pub fn mark(&mut self, offset: usize) {
        self.of(offset);
        self.marked = self.last;
    }

    /// Returns the line and the column in characters of a byte offset. A line ends with `\n`, `\r\n` or `\r`.
    pub fn of(&mut self, offset: usize) -> (u32, u32) {
        let offset = if self.text.is_char_boundary(offset) { offset } else { self.text.len() };
        let start = Position { offset: 0, line: 1, column: 1 };
        let nearest = [self.last, self.marked, start].into_iter().find(|known| known.offset <= offset);
        let Position { offset: from, mut line, mut column } = nearest.unwrap_or(start);
        let mut characters = self.text[from..offset].chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\r' if characters.peek() == Some(&'\n') => {}
                '\n' | '\r' => {
                    line += 1;
                    column = 1;
                }
                _ => column += 1,
            }
        }
        self.last = Position { offset, line, column };
        (line, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_lines_and_characters() {
        let text = "a\r\nbé\nc\rd";
        for (offset, expected) in
            [(0, (1, 1)), (1, (1, 2)), (3, (2, 1)), (6, (2, 3)), (7, (3, 1)), (9, (4, 1))]
        {
            assert_eq!(position(text, offset), expected, "offset {offset}");
        }
        assert_eq!(position(text, 99), (4, 2));
    }

    #[test]
    fn a_byte_order_mark_is_kept() {
        let bytes = "\u{feff}{}".as_bytes();
        let text = Text::from_bytes(bytes).expect("UTF-8");
        assert_eq!(text, Text { body: "{}".to_owned(), has_bom: true });
        assert_eq!(text.to_bytes(), bytes);
    }

    #[test]
    fn other_encodings_are_rejected() {
        let latin = Text::from_bytes(b"{\n  \"caf\xe9\": 1}").expect_err("not UTF-8");
        assert_eq!((latin.line, latin.column), (2, 7));
        let utf16 = Text::from_bytes(b"\xff\xfe{\0}\0").expect_err("not UTF-8");
        assert_eq!(utf16.message, "the file is saved as UTF-16");
    }
}
