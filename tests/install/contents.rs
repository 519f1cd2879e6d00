//! The contents of the Debian package. Nothing is installed.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result};

use crate::package::{Package, run};

#[test]
fn the_control_file_is_complete() -> Result<()> {
    let mut fields = Package::find()?.fields()?;
    let size: u64 = fields.remove("Installed-Size").context("no size")?.parse()?;
    assert!(size > 1000, "{size} kB");
    // The required versions depend on the machine that built the package, so only names are compared.
    let depends = fields.get_mut("Depends").context("no Depends")?;
    *depends = depends.split(", ").filter_map(|item| item.split(' ').next()).collect::<Vec<_>>().join(" ");
    insta::assert_debug_snapshot!(fields);
    Ok(())
}

/// `dpkg-shlibdeps` reads the libraries that the programs load and names their packages.
#[test]
fn every_library_is_a_dependency() -> Result<()> {
    let package = Package::find()?;
    let depends = package.fields()?.remove("Depends").context("no Depends")?;
    let named: BTreeSet<&str> = depends.split(", ").collect();
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("root");
    package.unpack(&root)?;
    // The tool must run in a source package.
    std::fs::create_dir(folder.path().join("debian"))?;
    std::fs::write(
        folder.path().join("debian/control"),
        "Source: usher\n\nPackage: usher\nArchitecture: any\n",
    )?;
    let mut shlibdeps = Command::new("dpkg-shlibdeps");
    shlibdeps
        .current_dir(folder.path())
        .arg("-O")
        .args(["usher", "usher-bridge", "usher-desktop"].map(|name| format!("root/usr/bin/{name}")));
    let found = run(&mut shlibdeps)?;
    let found = found.trim().strip_prefix("shlibs:Depends=").context("no output of dpkg-shlibdeps")?;
    let libraries: BTreeSet<&str> = found.split(", ").collect();
    let missing: Vec<_> = libraries.difference(&named).collect();
    assert!(missing.is_empty(), "{missing:?} are not in Depends: {depends}");
    Ok(())
}

#[test]
fn every_file_has_the_right_path_owner_and_mode() -> Result<()> {
    let entries = Package::find()?.entries()?;
    for entry in &entries {
        assert_eq!(entry.owner, "0/0", "{entry:?}");
        let mode = match () {
            () if entry.is_folder() => "drwxr-xr-x",
            () if entry.path.starts_with("usr/bin/") => "-rwxr-xr-x",
            () => "-rw-r--r--",
        };
        assert_eq!(entry.mode, mode, "{entry:?}");
    }
    let files: Vec<&str> =
        entries.iter().filter(|entry| !entry.is_folder()).map(|entry| entry.path.as_str()).collect();
    insta::assert_snapshot!(files.join("\n"));
    Ok(())
}

#[test]
fn the_package_has_no_maintainer_scripts_and_every_file_has_a_checksum() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let package = Package::find()?;
    package.unpack(folder.path())?;
    let mut control: Vec<_> = std::fs::read_dir(folder.path().join("DEBIAN"))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    control.sort();
    assert_eq!(control, ["control", "md5sums"]);
    let sums = std::fs::read_to_string(folder.path().join("DEBIAN/md5sums"))?;
    let summed: BTreeSet<&str> =
        sums.lines().filter_map(|line| line.split_once("  ")).map(|(_, file)| file).collect();
    let entries = package.entries()?;
    let files: BTreeSet<&str> =
        entries.iter().filter(|entry| !entry.is_folder()).map(|entry| entry.path.as_str()).collect();
    assert_eq!(summed, files);
    run(Command::new("md5sum").current_dir(folder.path()).args(["--check", "--quiet", "DEBIAN/md5sums"]))?;
    Ok(())
}

#[test]
fn the_desktop_entry_and_the_icons_are_valid() -> Result<()> {
    let folder = tempfile::tempdir()?;
    Package::find()?.unpack(folder.path())?;
    let entry = folder.path().join("usr/share/applications/Usher.desktop");
    run(Command::new("desktop-file-validate").arg(&entry))?;
    insta::assert_snapshot!(std::fs::read_to_string(&entry)?);
    let icons = folder.path().join("usr/share/icons/hicolor");
    for size in [16, 22, 24, 32, 48, 64, 128, 256, 512] {
        let icon = std::fs::read(icons.join(format!("{size}x{size}/apps/usher-desktop.png")))?;
        // A PNG begins with its header: width is at byte 16, height at byte 20.
        assert_eq!(icon[16..20], u32::to_be_bytes(size), "width of {size}");
        assert_eq!(icon[20..24], u32::to_be_bytes(size), "height of {size}");
    }
    Ok(())
}

/// `appstreamcli` checks the metadata together with the desktop entry.
#[test]
fn the_appstream_metadata_matches_the_desktop_entry() -> Result<()> {
    let folder = tempfile::tempdir()?;
    Package::find()?.unpack(folder.path())?;
    let metainfo = folder.path().join("usr/share/metainfo/dev.usher.desktop.metainfo.xml");
    run(Command::new("appstreamcli").args(["validate", "--no-net"]).arg(&metainfo))?;
    run(Command::new("appstreamcli").args(["validate-tree", "--no-net"]).arg(folder.path()))?;
    let text = std::fs::read_to_string(&metainfo)?;
    let entry = std::fs::read_to_string(folder.path().join("usr/share/applications/Usher.desktop"))?;
    for (tag, key) in
        [("name", "Name"), ("summary", "Comment"), ("category", "Categories"), ("binary", "StartupWMClass")]
    {
        let shown = text_between(&text, &format!("<{tag}>"), &format!("</{tag}>")).context(tag)?;
        let expected = text_between(&entry, &format!("\n{key}="), "\n").context(key)?;
        assert_eq!(shown, expected.trim_end_matches(';'), "{tag}");
    }
    insta::assert_snapshot!(text);
    Ok(())
}

fn text_between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    text.split_once(begin)?.1.split_once(end).map(|(inside, _)| inside)
}

#[test]
fn man_pages_and_shell_completions_work() -> Result<()> {
    let folder = tempfile::tempdir()?;
    Package::find()?.unpack(folder.path())?;
    let share = folder.path().join("usr/share");
    let page = |name: &str| {
        let mut man = Command::new("man");
        run(man.env("MANWIDTH", "80").arg("--local-file").arg(share.join("man/man1").join(name)))
    };
    let usher = page("usher.1.gz")?;
    assert!(usher.contains("Sign in to the services your AI tools use"), "{usher}");
    let login = page("usher-login.1.gz")?;
    assert!(login.contains("--no-browser"), "{login}");
    // man prints breakable hyphens as U+2010.
    let app = page("usher-desktop.1.gz")?.replace('\u{2010}', "-");
    let help = run(Command::new(folder.path().join("usr/bin/usher-desktop")).arg("--help"))?;
    let options: Vec<&str> = help.split_whitespace().filter(|word| word.starts_with("--")).collect();
    assert!(options.len() > 4, "{help}");
    for option in options {
        assert!(app.contains(option), "{option} is not in the man page: {app}");
    }

    let bash = "source \"$1\"; COMP_WORDS=(usher log); COMP_CWORD=1; _usher usher log usher; echo \"${COMPREPLY[@]}\"";
    let completions = share.join("bash-completion/completions/usher");
    let mut shell = Command::new("bash");
    let offered = run(shell.args(["--norc", "-c", bash, "bash"]).arg(&completions))?;
    assert_eq!(offered.trim(), "login logout logs");
    for file in ["zsh/vendor-completions/_usher", "fish/vendor_completions.d/usher.fish"] {
        assert!(std::fs::read_to_string(share.join(file))?.contains("login"), "{file}");
    }
    Ok(())
}
