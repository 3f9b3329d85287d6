//! find_text: the lines of an agent's files that match a regular expression.
//!
//! A tool of the process tier (docs/process-tools.md): one JSON object a line, on standard input and output. What it
//! sees of the files are the effects `list` and `read_text`.

mod kernel;
mod search;

use kernel::{Failure, Kernel};
use serde::Deserialize;
use serde_json::{json, Value};
use std::io;

#[derive(Deserialize)]
struct Call {
    arguments: Value,
}

fn main() -> io::Result<()> {
    let mut kernel = Kernel::new(io::stdin().lock(), io::stdout().lock());
    kernel.say(&json!({ "ready": true }))?;
    while let Some(call) = kernel.hear::<Call>()? {
        let answer = match answered(call.arguments, &mut kernel) {
            Ok(result) => json!({ "result": result }),
            Err(failure) => json!({ "failure": failure }),
        };
        kernel.say(&answer)?;
    }
    Ok(())
}

fn answered(arguments: Value, kernel: &mut Kernel) -> Result<Value, Failure> {
    let wanted = serde_json::from_value(arguments).map_err(|wrong| Failure::bad(wrong.to_string()))?;
    search::Search::new(wanted)?.run(kernel)
}
