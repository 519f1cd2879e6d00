//! A QR code in a terminal.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

/// White on black, whatever the terminal's colours are.
const COLORS: &str = "\u{1b}[97;40m";
const RESET: &str = "\u{1b}[0m";

/// Draws the text as a QR code, two modules in each character. Returns `None` if the text is too long for a code.
pub fn draw(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    // Readers expect dark modules on a light ground.
    let drawn = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    let lines = drawn.lines().map(|line| format!("  {COLORS}{line}{RESET}"));
    Some(lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_twice_as_wide_as_high_and_has_a_light_border() {
        let drawn = draw("https://as.example.com/device?user_code=WDJB-MJHT").expect("a code");
        let rows: Vec<String> =
            drawn.lines().map(|line| line.replace(COLORS, "").replace(RESET, "").trim().to_owned()).collect();
        let width = rows[0].chars().count();
        assert_eq!(width.div_ceil(2), rows.len());
        assert!(rows[0].chars().all(|character| character == '█'), "the border is light: {drawn}");
        assert!(rows.iter().all(|row| row.chars().count() == width));
        assert!(rows.iter().all(|row| row.starts_with("████") || row.starts_with("▀▀▀▀")), "{drawn}");
        assert_eq!(draw(&"x".repeat(10_000)), None);
    }
}
