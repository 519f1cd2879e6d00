//! The command line.

use std::ffi::OsString;

use lexopt::prelude::{Long, Short, Value, ValueExt};
use usher_api::{BridgeHello, BridgeTarget};

pub const HELP: &str = "\
Passes the messages of an AI client to a server that you signed in to with Usher.

Usage: usher-bridge [--as LABEL] SERVER
       usher-bridge [--as LABEL] --all

  SERVER      The name of the server, as in `usher list`
  --all       All servers that are enabled
  --as LABEL  The name of the AI client, which Usher shows in its questions
";

/// A parsed command line.
#[derive(Debug, PartialEq)]
pub enum Arguments {
    Bridge(BridgeHello),
    Help,
}

/// Parses the arguments after the program's name. Fails with a message for the person.
pub fn parse(arguments: impl IntoIterator<Item = OsString, IntoIter: 'static>) -> Result<Arguments, String> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut target, mut label) = (None, None);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let wanted = match argument {
            Long("help") | Short('h') => return Ok(Arguments::Help),
            Long("as") => {
                let value = parser.value().and_then(|value| value.string());
                label = Some(value.map_err(|error| error.to_string())?);
                continue;
            }
            Long("all") => BridgeTarget::All,
            Value(name) => BridgeTarget::Named(name.string().map_err(|error| error.to_string())?),
            Long(_) | Short(_) => return Err(argument.unexpected().to_string()),
        };
        if target.replace(wanted).is_some() {
            return Err("give one SERVER, or --all".to_owned());
        }
    }
    let target = target.ok_or_else(|| format!("a SERVER is missing\n\n{HELP}"))?;
    let folder = std::env::current_dir().ok().and_then(|folder| folder.into_os_string().into_string().ok());
    Ok(Arguments::Bridge(BridgeHello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        target,
        label,
        folder,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<(BridgeTarget, Option<String>), String> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        match parse(arguments)? {
            Arguments::Bridge(hello) => Ok((hello.target, hello.label)),
            Arguments::Help => Err("help".to_owned()),
        }
    }

    #[test]
    fn a_server_or_all_and_a_label_are_accepted() {
        let notion = || BridgeTarget::Named("notion".to_owned());
        assert_eq!(parsed(&["notion"]), Ok((notion(), None)));
        assert_eq!(parsed(&["notion", "--as", "cursor"]), Ok((notion(), Some("cursor".to_owned()))));
        assert_eq!(parsed(&["--as=cursor", "--all"]), Ok((BridgeTarget::All, Some("cursor".to_owned()))));
        assert_eq!(parsed(&["--help"]), Err("help".to_owned()));
    }

    #[test]
    fn other_arguments_are_errors() {
        for arguments in [&["a", "b"][..], &["a", "--all"], &["--unknown"], &["--as"], &[]] {
            assert!(parsed(arguments).is_err(), "{arguments:?}");
        }
    }
}
