//! `cargo xtask icons`: every picture of the product, made from the drawings in `icons/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use flate2::Crc;

use crate::command;
use crate::repository::Repository;
use crate::setup;

const DEADLINE: Duration = Duration::from_secs(60);

/// Below this the drawing with fewer shapes is legible and the whole one is not.
const SMALL: [u32; 3] = [16, 22, 24];
const LARGE: [u32; 6] = [32, 48, 64, 128, 256, 512];
/// What Windows looks for, each as its own picture.
const ICO: [u32; 6] = [16, 24, 32, 48, 64, 256];

const LOOKS: [&str; 3] = ["well", "working", "needs-you"];
/// Panels scale it down, and a screen of twice the density shows it at 44 or 48 px.
const TRAY_SIZE: u32 = 64;
/// The ink of the tray's drawings, by which they are for light panels.
const INK: &str = "#1f2430";
/// What it is exchanged for. Where nobody tells how light the panel is, an ink that stands out from both grounds, three
/// to one at least, serves better than one that vanishes on half of them.
const OTHER_INKS: [(&str, &str); 2] = [("dark", "#f4f5fa"), ("any", "#80869a")];
/// Which drawings the pictures were made of, so that a drawing is not changed without them.
const DRAWN: &str = "drawn.txt";

/// Draws everything anew. Look at 16, 22 and 32 px before you commit it.
pub fn draw(repository: &Repository) -> Result<()> {
    setup::bundler(repository)?;
    let pen = Pen { repository, made: repository.target("icons") };
    let icons = repository.path("icons");
    for (drawing, sizes) in [("usher-small.svg", SMALL.as_slice()), ("usher.svg", LARGE.as_slice())] {
        pen.draw(&icons.join(drawing), sizes)?;
        for size in sizes {
            pen.take(&format!("{size}x{size}.png"), &icons.join(format!("{size}x{size}.png")))?;
        }
    }
    let mut pictures = Vec::new();
    for size in ICO {
        let picture = icons.join(format!("{size}x{size}.png"));
        pictures.push((size, fs::read(&picture).with_context(|| format!("read {}", picture.display()))?));
    }
    fs::write(icons.join("icon.ico"), ico(&pictures)?).context("write icon.ico")?;
    // Without sizes the tool makes the sets of every system; one of them is macOS's.
    pen.draw(&icons.join("usher.svg"), &[])?;
    let set = fs::read(pen.made.join("icon.icns")).context("read the set for macOS")?;
    fs::write(icons.join("icon.icns"), in_order(&set)?).context("write icon.icns")?;
    for look in LOOKS {
        tray(&pen, &icons.join("tray"), look)?;
    }
    fs::write(icons.join(DRAWN), drawn(&icons)?).context("note what was drawn")?;
    println!("icons: drawn; look at {}", icons.display());
    Ok(())
}

fn tray(pen: &Pen, folder: &Path, look: &str) -> Result<()> {
    let drawing = folder.join(format!("{look}.svg"));
    let text =
        fs::read_to_string(&drawing).with_context(|| format!("read the drawing {}", drawing.display()))?;
    pen.draw_for_tray(&drawing, &folder.join(format!("{look}-light.png")))?;
    for (panel, ink) in OTHER_INKS {
        let exchanged = pen.made.join(format!("{look}-{panel}.svg"));
        fs::create_dir_all(&pen.made).context("make a folder for the pictures")?;
        fs::write(&exchanged, text.replace(INK, ink)).context("write a drawing in another ink")?;
        pen.draw_for_tray(&exchanged, &folder.join(format!("{look}-{panel}.png")))?;
    }
    Ok(())
}

/// Turns drawings into pictures, by the icon command of Tauri's tool (resvg inside).
struct Pen<'a> {
    repository: &'a Repository,
    made: PathBuf,
}

impl Pen<'_> {
    fn draw(&self, drawing: &Path, sizes: &[u32]) -> Result<()> {
        let mut tauri = self.repository.tauri();
        tauri.arg("icon").arg(drawing).arg("--output").arg(&self.made);
        for size in sizes {
            tauri.args(["--png", &size.to_string()]);
        }
        command::run_silently(&mut tauri, DEADLINE)
    }

    fn draw_for_tray(&self, drawing: &Path, to: &Path) -> Result<()> {
        self.draw(drawing, &[TRAY_SIZE])?;
        self.take(&format!("{TRAY_SIZE}x{TRAY_SIZE}.png"), to)
    }

    fn take(&self, name: &str, to: &Path) -> Result<()> {
        fs::copy(self.made.join(name), to).with_context(|| format!("write {}", to.display())).map(drop)
    }
}

/// A line for each drawing and each picture: its sum, its name.
fn drawn(icons: &Path) -> Result<String> {
    let mut lines = Vec::new();
    for folder in ["", "tray/"] {
        for entry in fs::read_dir(icons.join(folder)).context("look through the icons")? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|ending| ["svg", "png", "ico", "icns"].iter().any(|own| ending == *own))
            {
                let mut sum = Crc::new();
                sum.update(&fs::read(&path).with_context(|| format!("read {}", path.display()))?);
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                lines.push(format!("{folder}{name} {:08x}\n", sum.sum()));
            }
        }
    }
    lines.sort_unstable();
    Ok(lines.concat())
}

/// An `.ico` of PNG pictures: a head, one entry of 16 bytes for each, the pictures.
fn ico(pictures: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    let count = u16::try_from(pictures.len()).context("count the pictures")?;
    let mut file = vec![0, 0, 1, 0];
    file.extend(count.to_le_bytes());
    let mut offset = 6 + 16 * u32::from(count);
    for (size, picture) in pictures {
        // 256 does not fit a byte and is written as 0.
        let side = u8::try_from(*size).unwrap_or(0);
        let length = u32::try_from(picture.len()).context("measure a picture")?;
        // Width, height, no palette, reserved; one plane, 32 bits a pixel.
        file.extend([side, side, 0, 0, 1, 0, 32, 0]);
        file.extend(length.to_le_bytes());
        file.extend(offset.to_le_bytes());
        offset += length;
    }
    for (_, picture) in pictures {
        file.extend(picture);
    }
    Ok(file)
}

/// An `.icns` with its pictures in the order of their names; the tool leaves them in any. A head of 8 bytes, then for
/// each picture its name (4 bytes), its length with these 8 bytes (big endian), and itself.
fn in_order(icns: &[u8]) -> Result<Vec<u8>> {
    let (head, mut rest) = icns.split_at_checked(8).context("the .icns has no head")?;
    let mut pictures = Vec::new();
    while let Some(length) = rest.get(4..8) {
        let length = u32::from_be_bytes(length.try_into()?);
        let (picture, others) = rest
            .split_at_checked(usize::try_from(length)?.max(8))
            .context("a picture of the .icns is cut off")?;
        pictures.push(picture);
        rest = others;
    }
    pictures.sort_unstable();
    Ok([head, &pictures.concat()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_that_of_its_drawing() {
        let icons = Repository::find().expect("the repository").path("icons");
        let noted = fs::read_to_string(icons.join(DRAWN)).expect("what was drawn");
        assert_eq!(drawn(&icons).expect("what is there"), noted, "run `cargo xtask icons`, and look at them");
    }

    #[test]
    fn a_drawing_has_the_ink_that_is_exchanged() {
        let icons = Repository::find().expect("the repository").path("icons/tray");
        for look in LOOKS {
            let drawing = fs::read_to_string(icons.join(format!("{look}.svg"))).expect("a drawing");
            assert!(drawing.contains(&format!("\"{INK}\"")), "{look}");
        }
    }

    #[test]
    fn the_pictures_of_an_icns_stand_in_order() {
        let set = b"icns\0\0\0\x1aic08\0\0\0\x09aic07\0\0\0\x09b";
        let ordered = in_order(set).expect("a set");
        assert_eq!(ordered, b"icns\0\0\0\x1aic07\0\0\0\x09bic08\0\0\0\x09a");
        assert!(in_order(b"icns\0\0\0\x1aic08\0\0\0\x40a").is_err());
    }

    #[test]
    fn an_ico_names_each_picture_and_where_it_lies() {
        let file = ico(&[(16, vec![1, 2, 3]), (256, vec![4])]).expect("an icon");
        let mut expected = vec![0, 0, 1, 0, 2, 0];
        expected.extend([16, 16, 0, 0, 1, 0, 32, 0, 3, 0, 0, 0, 38, 0, 0, 0]);
        expected.extend([0, 0, 0, 0, 1, 0, 32, 0, 1, 0, 0, 0, 41, 0, 0, 0]);
        expected.extend([1, 2, 3, 4]);
        assert_eq!(file, expected);
    }
}
