//! A QR code, as the page draws it.

use qrcode::{Color, QrCode};
use serde::Serialize;
use specta::Type;
use usher_api::ErrorView;

use crate::error;

/// A QR code. The page draws it as one path on a light ground.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Type)]
pub struct QrCodeView {
    /// The width and height in modules, without a border.
    pub size: u32,
    /// The dark modules, as the data of an SVG path whose unit is one module.
    pub path: String,
}

/// Returns the text as a QR code. Fails if the text is too long.
pub fn view(text: &str) -> Result<QrCodeView, ErrorView> {
    let code = QrCode::new(text).map_err(|_| error::rejected("The address is too long for a QR code."))?;
    let size = code.width();
    let path = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == Color::Dark);
    let path = path.map(|(index, _)| format!("M{} {}h1v1h-1z", index % size, index / size)).collect();
    Ok(QrCodeView { size: u32::try_from(size).unwrap_or_default(), path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_has_the_three_corner_marks() {
        let code = view("https://as.example.com/device").expect("a code");
        assert_eq!(code.size, 29);
        let is_dark = |x: u32, y: u32| code.path.contains(&format!("M{x} {y}h1v1h-1z"));
        for (left, top) in [(0, 0), (22, 0), (0, 22)] {
            for offset in 0..7 {
                assert!(is_dark(left + offset, top) && is_dark(left, top + offset), "{left} {top} {offset}");
            }
            assert!(!is_dark(left + 1, top + 1) && is_dark(left + 3, top + 3));
        }
        assert!(view(&"x".repeat(10_000)).is_err());
    }
}
