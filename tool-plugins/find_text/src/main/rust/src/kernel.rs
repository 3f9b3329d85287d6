//! The kernel at the other end of standard input and output.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use std::io::{self, BufRead, Error, ErrorKind, StdinLock, StdoutLock, Write};

/// What the agent can do something about.
#[derive(Serialize, Deserialize)]
pub struct Failure {
    pub code: String,
    pub message: String,
}

impl Failure {
    pub fn bad(message: String) -> Failure {
        Failure { code: "BAD_ARGUMENT".into(), message }
    }

    /// The kernel went away amid a call, so nobody will read this.
    fn of(gone: Error) -> Failure {
        Failure { code: "UPSTREAM_UNAVAILABLE".into(), message: gone.to_string() }
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    value: Option<T>,
    error: Option<Failure>,
}

pub struct Kernel<'a> {
    input: StdinLock<'a>,
    output: StdoutLock<'a>,
}

impl<'a> Kernel<'a> {
    pub fn new(input: StdinLock<'a>, output: StdoutLock<'a>) -> Kernel<'a> {
        Kernel { input, output }
    }

    pub fn say(&mut self, words: &Value) -> io::Result<()> {
        writeln!(self.output, "{words}")?;
        self.output.flush()
    }

    /// None once the kernel has nothing more to say.
    pub fn hear<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let mut line = String::new();
        match self.input.read_line(&mut line)? {
            0 => Ok(None),
            _ => Ok(Some(serde_json::from_str(&line)?)),
        }
    }

    /// Names in order, folders with a trailing slash.
    pub fn list(&mut self, path: &str) -> Result<Vec<String>, Failure> {
        self.ask(&json!({ "effect": "list", "id": 1, "path": path }))
    }

    pub fn read_text(&mut self, path: &str) -> Result<String, Failure> {
        self.ask(&json!({ "effect": "read_text", "id": 1, "path": path }))
    }

    fn ask<T: DeserializeOwned>(&mut self, effect: &Value) -> Result<T, Failure> {
        let gone = || Error::from(ErrorKind::UnexpectedEof);
        self.say(effect).map_err(Failure::of)?;
        match self.hear::<Answer<T>>().and_then(|answer| answer.ok_or_else(gone)).map_err(Failure::of)? {
            Answer { value: Some(value), .. } => Ok(value),
            Answer { error: Some(failure), .. } => Err(failure),
            _ => Err(Failure::of(gone())),
        }
    }
}
