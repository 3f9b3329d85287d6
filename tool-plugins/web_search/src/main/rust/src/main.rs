//! web_search: asks a SearXNG instance where the operator has set one; where not, or where it fails, the
//! documents of this host answer, and the answer says so.
//!
//! A WASI command (docs/wasm-tools.md): the call comes on standard input, the answer goes to standard output.

mod call;
mod effects;
mod endpoint;
mod text;

use call::Call;
use effects::Failure;
use serde_json::{json, Value};
use std::io::{self, Write};

fn main() {
    let answer = match answered() {
        Ok(result) => json!({ "result": result }),
        Err(failure) => json!({ "failure": failure }),
    };
    // Nobody is left to tell of an answer that cannot be written.
    let _ = io::stdout().write_all(answer.to_string().as_bytes());
}

fn answered() -> Result<Value, Failure> {
    let call = Call::read(io::stdin())?;
    match endpoint::Endpoint::of(&effects::settings()?) {
        Ok(None) => offline(&call, None),
        Ok(Some(endpoint)) => match endpoint.search(&call) {
            Ok(items) => Ok(json!({ "items": items, "source": "searxng" })),
            Err(why) => offline(&call, Some(why)),
        },
        Err(why) => offline(&call, Some(why)),
    }
}

fn offline(call: &Call, failed: Option<String>) -> Result<Value, Failure> {
    let mut items = effects::search(&call.query, call.limit, call.language.as_deref())?;
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        let url = item.get("url").and_then(Value::as_str).unwrap_or_default();
        let source = format!("offline:{}", url.strip_prefix("aion://docs/").unwrap_or(url));
        item.insert("source".into(), source.into());
    }
    let mut answer = json!({ "items": items, "source": "offline" });
    if let Some(why) = failed {
        let note = format!("the search endpoint failed, so the offline index answered: {why}");
        answer["note"] = note.into();
    }
    Ok(answer)
}
