//! The last lines that a program wrote to stderr, for the person.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt};
use usher_budgets as budgets;
use usher_config::display_text;

/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;
/// Characters that stand for a secret.
const REDACTED: &str = "••••";
/// The shortest secret that is replaced. A shorter one would also replace ordinary text.
const SHORTEST_SECRET: usize = 6;

/// The output of one process. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(Arc<Mutex<VecDeque<String>>>);

impl Output {
    /// The lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    pub fn newest_line(&self) -> Option<String> {
        self.lock().back().cloned()
    }

    /// Reads until the end. `on_line` is called after each chunk with a complete line.
    pub async fn read(
        &self,
        mut stderr: impl AsyncRead + Unpin,
        secrets: Vec<SecretString>,
        on_line: impl Fn(),
    ) {
        let mut cleaner = Cleaner { secrets: shown_lines(&secrets), line: Vec::new(), is_cut: false };
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = match stderr.read(&mut chunk).await {
                Ok(0) | Err(_) => break,
                Ok(length) => length,
            };
            let lines = cleaner.push(&chunk[..length]);
            if !lines.is_empty() {
                self.append(lines);
                on_line();
            }
            // The pipe of a program that floods it is always ready. The other tasks need their turn.
            tokio::task::yield_now().await;
        }
        if let Some(line) = cleaner.finish() {
            self.append(vec![line]);
            on_line();
        }
    }

    fn append(&self, lines: Vec<String>) {
        let mut kept = self.lock();
        kept.extend(lines);
        while kept.len() > budgets::OUTPUT_LINES {
            kept.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns each line of the secrets in the form that it has in the output, the longest first.
fn shown_lines(secrets: &[SecretString]) -> Vec<SecretString> {
    let lines = secrets.iter().flat_map(|secret| secret.expose_secret().split(['\n', '\r']));
    let mut shown: Vec<_> = lines.map(|line| display_text(line, usize::MAX)).collect();
    shown.retain(|line| line.len() >= SHORTEST_SECRET);
    shown.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    shown.dedup();
    shown.into_iter().map(SecretString::from).collect()
}

/// Splits bytes into lines that can be shown.
struct Cleaner {
    /// The texts to replace.
    secrets: Vec<SecretString>,
    /// The bytes of the current line.
    line: Vec<u8>,
    /// Whether the current line is longer than the limit. The rest of it is dropped.
    is_cut: bool,
}

impl Cleaner {
    fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, ends) = match part.split_last() {
                Some((b'\n' | b'\r', text)) => (text, true),
                Some(_) | None => (part, false),
            };
            let room = budgets::OUTPUT_LINE_BYTES.saturating_sub(self.line.len());
            self.is_cut |= text.len() > room;
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                lines.extend(self.finish());
                // A chunk may contain thousands of lines, of which only the last ones are kept.
                if lines.len() > 2 * budgets::OUTPUT_LINES {
                    lines.drain(..budgets::OUTPUT_LINES);
                }
            }
        }
        lines
    }

    /// Ends the current line. Returns `None` if nothing of it can be shown.
    fn finish(&mut self) -> Option<String> {
        let bytes = std::mem::take(&mut self.line);
        let is_cut = std::mem::take(&mut self.is_cut);
        let text = String::from_utf8_lossy(&bytes);
        let mut shown = display_text(&text, budgets::OUTPUT_LINE_BYTES);
        for secret in &self.secrets {
            shown = shown.replace(secret.expose_secret(), REDACTED);
        }
        if is_cut {
            self.remove_begun_secret(&mut shown);
            shown.push('…');
        }
        (!shown.is_empty()).then_some(shown)
    }

    /// Removes the beginning of a secret at the end of a cut line.
    fn remove_begun_secret(&self, shown: &mut String) {
        for secret in &self.secrets {
            let secret = secret.expose_secret();
            let begun =
                secret.char_indices().map(|(at, _)| &secret[..at]).rev().find(|begun| shown.ends_with(begun));
            shown.truncate(shown.len() - begun.map_or(0, str::len));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines_of(bytes: &[u8], secrets: &[&str]) -> Vec<String> {
        let output = Output::default();
        let secrets = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        output.read(bytes, secrets, || {}).await;
        output.lines()
    }

    #[tokio::test]
    async fn lines_are_cleaned_and_secrets_replaced() {
        let bytes = b"\x1b[31mred\x1b[0m text\r\n\n10%\r20%\rkey=abc123secret \xff\nlast";
        let lines = lines_of(bytes, &["abc123secret", "10%"]).await;
        assert_eq!(lines, ["red text", "10%", "20%", "key=•••• \u{fffd}", "last"]);
    }

    #[tokio::test]
    async fn a_secret_that_the_limit_cuts_is_removed() {
        let before = "x ".repeat(budgets::OUTPUT_LINE_BYTES / 2 - 5);
        let lines = lines_of(format!("{before}abc123secret and more").as_bytes(), &["abc123secret"]).await;
        assert_eq!(lines, [format!("{before}…")]);
    }

    #[tokio::test]
    async fn each_line_of_a_secret_is_replaced() {
        let lines = lines_of(b"a first-line\nb second-line\n", &["first-line\nsecond-line"]).await;
        assert_eq!(lines, ["a ••••", "b ••••"]);
    }

    #[tokio::test]
    async fn only_the_last_lines_are_kept() {
        let many: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
        let lines = lines_of(many.as_bytes(), &[]).await;
        assert_eq!(lines.len(), budgets::OUTPUT_LINES);
        assert_eq!(lines.last().map(String::as_str), Some("line 99999"));
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut() {
        let long = vec![b'x'; 5_000_000];
        let lines = lines_of(&long, &[]).await;
        assert_eq!(lines.len(), 1);
        assert!(lines[0].chars().count() <= budgets::OUTPUT_LINE_BYTES + 1 && lines[0].ends_with('…'));
    }
}
