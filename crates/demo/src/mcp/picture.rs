//! Draws a rose curve as a PNG.

use std::f64::consts::TAU;

const PAPER: [u8; 3] = [0xfb, 0xfa, 0xf6];
const INK: [u8; 3] = [0x2f, 0x5d, 0x50];

/// Draws a rose with `petals` petals on a square of `size` pixels.
pub(super) fn rose(petals: u32, size: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut pixels = PAPER.repeat((size * size) as usize);
    let half = f64::from(size) / 2.0;
    // r = cos(kθ) has k petals for odd k and 2k for even k. |cos(kθ)| always has 2k, so k is half of `petals`.
    let k = f64::from(petals) / 2.0;
    let steps = size * 40;
    for step in 0..steps {
        let angle = f64::from(step) / f64::from(steps) * TAU;
        let radius = (k * angle).cos().abs() * half * 0.9;
        dot(&mut pixels, size, half + radius * angle.cos(), half + radius * angle.sin());
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, size, size);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(file)
}

/// Draws a dot of 3 × 3 pixels, clipped at the edges.
fn dot(pixels: &mut [u8], size: u32, x: f64, y: f64) {
    for dx in -1..=1 {
        for dy in -1..=1 {
            let (x, y) = (x as i64 + dx, y as i64 + dy);
            let inside = 0..i64::from(size);
            if inside.contains(&x) && inside.contains(&y) {
                let at = (y * i64::from(size) + x) as usize * 3;
                pixels[at..at + 3].copy_from_slice(&INK);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_a_png_with_ink() {
        let file = rose(5, 64).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (64, 64));
        let inked = pixels.chunks(3).filter(|pixel| *pixel == INK).count();
        assert!((200..2000).contains(&inked), "{inked}");
    }
}
