//! `cargo xtask icons`: renders every icon of the app from the drawings in `icons/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use flate2::Crc;

use crate::command;
use crate::repository::Repository;
use crate::setup;

const DEADLINE: Duration = Duration::from_secs(60);

/// At these sizes only the drawing with fewer shapes is legible.
const SMALL: [u32; 3] = [16, 22, 24];
const LARGE: [u32; 6] = [32, 48, 64, 128, 256, 512];
/// The sizes in the icon file of Windows.
const ICO: [u32; 6] = [16, 24, 32, 48, 64, 256];

/// The states of the tray icon.
const STATES: [&str; 3] = ["idle", "working", "attention"];
/// The size of the tray pictures. Panels scale them down; a screen with double density shows them at 44 or 48 px.
const TRAY_SIZE: u32 = 64;
/// The colour of the tray drawings, which are for light panels.
const COLOR: &str = "#1f2430";
/// The colours for other panels. If the brightness of the panel is unknown, the colour has a contrast of at least 3:1
/// on light and on dark panels.
const OTHER_COLORS: [(&str, &str); 2] = [("dark", "#f4f5fa"), ("any", "#80869a")];
/// The checksums of drawings and pictures. A test fails if a drawing is changed without its pictures.
const CHECKSUMS: &str = "checksums.txt";

/// Renders every icon. Check the pictures of 16, 22 and 32 px before you commit them.
pub fn draw(repository: &Repository) -> Result<()> {
    setup::bundler(repository)?;
    let renderer = Renderer { repository, output: repository.target("icons") };
    let icons = repository.path("icons");
    for (drawing, sizes) in [("usher-small.svg", SMALL.as_slice()), ("usher.svg", LARGE.as_slice())] {
        renderer.draw(&icons.join(drawing), sizes)?;
        for size in sizes {
            renderer.copy(&format!("{size}x{size}.png"), &icons.join(format!("{size}x{size}.png")))?;
        }
    }
    let mut pictures = Vec::new();
    for size in ICO {
        let picture = icons.join(format!("{size}x{size}.png"));
        pictures.push((size, fs::read(&picture).with_context(|| format!("read {}", picture.display()))?));
    }
    fs::write(icons.join("icon.ico"), ico(&pictures)?).context("write icon.ico")?;
    // Without sizes the Tauri CLI draws the icon sets of every system, including macOS.
    renderer.draw(&icons.join("usher.svg"), &[])?;
    let set = fs::read(renderer.output.join("icon.icns")).context("read the icon set for macOS")?;
    fs::write(icons.join("icon.icns"), sorted(&set)?).context("write icon.icns")?;
    for state in STATES {
        tray(&renderer, &icons.join("tray"), state)?;
    }
    fs::write(icons.join(CHECKSUMS), checksums(&icons)?).context("write the checksums")?;
    println!("icons: drawn; look at {}", icons.display());
    Ok(())
}

fn tray(renderer: &Renderer, folder: &Path, state: &str) -> Result<()> {
    let drawing = folder.join(format!("{state}.svg"));
    let text =
        fs::read_to_string(&drawing).with_context(|| format!("read the drawing {}", drawing.display()))?;
    renderer.draw_for_tray(&drawing, &folder.join(format!("{state}-light.png")))?;
    for (panel, color) in OTHER_COLORS {
        let recolored = renderer.output.join(format!("{state}-{panel}.svg"));
        fs::create_dir_all(&renderer.output).context("create the output folder")?;
        fs::write(&recolored, text.replace(COLOR, color)).context("write a drawing in another colour")?;
        renderer.draw_for_tray(&recolored, &folder.join(format!("{state}-{panel}.png")))?;
    }
    Ok(())
}

/// Renders drawings with the icon command of the Tauri CLI, which uses resvg.
struct Renderer<'a> {
    repository: &'a Repository,
    output: PathBuf,
}

impl Renderer<'_> {
    fn draw(&self, drawing: &Path, sizes: &[u32]) -> Result<()> {
        let mut tauri = self.repository.tauri();
        tauri.arg("icon").arg(drawing).arg("--output").arg(&self.output);
        for size in sizes {
            tauri.args(["--png", &size.to_string()]);
        }
        command::run_quietly(&mut tauri, DEADLINE)
    }

    fn draw_for_tray(&self, drawing: &Path, to: &Path) -> Result<()> {
        self.draw(drawing, &[TRAY_SIZE])?;
        self.copy(&format!("{TRAY_SIZE}x{TRAY_SIZE}.png"), to)
    }

    fn copy(&self, name: &str, to: &Path) -> Result<()> {
        fs::copy(self.output.join(name), to).with_context(|| format!("write {}", to.display())).map(drop)
    }
}

/// A line for each drawing and each picture, with its name and its checksum.
fn checksums(icons: &Path) -> Result<String> {
    let mut lines = Vec::new();
    for folder in ["", "tray/"] {
        for entry in fs::read_dir(icons.join(folder)).context("read the icon folders")? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| ["svg", "png", "ico", "icns"].iter().any(|own| extension == *own))
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

/// An `.ico` file of PNG pictures: a header, one entry of 16 bytes for each picture, then the pictures.
fn ico(pictures: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    let count = u16::try_from(pictures.len()).context("count the pictures")?;
    let mut file = vec![0, 0, 1, 0];
    file.extend(count.to_le_bytes());
    let mut offset = 6 + 16 * u32::from(count);
    for (size, picture) in pictures {
        // 256 does not fit into a byte, and is written as 0.
        let side = u8::try_from(*size).unwrap_or(0);
        let length = u32::try_from(picture.len()).context("the size of a picture")?;
        // Width, height, no palette, reserved; one plane, 32 bits per pixel.
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

/// The `.icns` file with its pictures sorted by name, because the Tauri CLI writes them in no fixed order. The file is
/// a header of 8 bytes, then for each picture its name (4 bytes), its length including these 8 bytes (big endian) and
/// its content.
fn sorted(icns: &[u8]) -> Result<Vec<u8>> {
    let (header, mut rest) = icns.split_at_checked(8).context("the .icns has no header")?;
    let mut pictures = Vec::new();
    while let Some(length) = rest.get(4..8) {
        let length = u32::from_be_bytes(length.try_into()?);
        let (picture, others) = rest
            .split_at_checked(usize::try_from(length)?.max(8))
            .context("a picture of the .icns is truncated")?;
        pictures.push(picture);
        rest = others;
    }
    pictures.sort_unstable();
    Ok([header, &pictures.concat()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_matches_its_drawing() {
        let icons = Repository::find().expect("the repository").path("icons");
        let recorded = fs::read_to_string(icons.join(CHECKSUMS)).expect("the checksums");
        assert_eq!(
            checksums(&icons).expect("the icons"),
            recorded,
            "run `cargo xtask icons` and look at the icons"
        );
    }

    #[test]
    fn every_tray_drawing_uses_the_replaced_colour() {
        let icons = Repository::find().expect("the repository").path("icons/tray");
        for state in STATES {
            let drawing = fs::read_to_string(icons.join(format!("{state}.svg"))).expect("a drawing");
            assert!(drawing.contains(&format!("\"{COLOR}\"")), "{state}");
        }
    }

    #[test]
    fn the_pictures_of_an_icns_are_sorted() {
        let set = b"icns\0\0\0\x1aic08\0\0\0\x09aic07\0\0\0\x09b";
        let ordered = sorted(set).expect("a set");
        assert_eq!(ordered, b"icns\0\0\0\x1aic07\0\0\0\x09bic08\0\0\0\x09a");
        assert!(sorted(b"icns\0\0\0\x1aic08\0\0\0\x40a").is_err());
    }

    #[test]
    fn an_ico_lists_each_picture_with_its_offset() {
        let file = ico(&[(16, vec![1, 2, 3]), (256, vec![4])]).expect("an icon");
        let mut expected = vec![0, 0, 1, 0, 2, 0];
        expected.extend([16, 16, 0, 0, 1, 0, 32, 0, 3, 0, 0, 0, 38, 0, 0, 0]);
        expected.extend([0, 0, 0, 0, 1, 0, 32, 0, 1, 0, 0, 0, 41, 0, 0, 0]);
        expected.extend([1, 2, 3, 4]);
        assert_eq!(file, expected);
    }
}
