//! The outside world: what the kernel does for a call.

use serde::{Deserialize, Serialize};
use serde_json::{json, Map, Value};

#[link(wasm_import_module = "aion")]
extern "C" {
    fn effect(request: *const u8, length: usize) -> usize;
    fn effect_result(to: *mut u8);
}

/// What the agent, or this tool, can do something about.
#[derive(Serialize, Deserialize)]
pub struct Failure {
    pub code: String,
    pub message: String,
}

impl Failure {
    pub fn bad(message: &str) -> Failure {
        Failure { code: "BAD_ARGUMENT".into(), message: message.into() }
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    value: Option<T>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
pub struct Fetched {
    pub status: u16,
    /// Absent where it is no text.
    #[serde(default)]
    pub body: String,
}

pub fn settings() -> Result<Map<String, Value>, Failure> {
    ask(json!({ "effect": "settings" }))
}

pub fn search(query: &str, limit: u64, language: Option<&str>) -> Result<Vec<Value>, Failure> {
    ask(json!({ "effect": "search", "query": query, "limit": limit, "language": language }))
}

pub fn fetch(url: &str, headers: Value, timeout_ms: u64) -> Result<Fetched, Failure> {
    ask(json!({ "effect": "fetch", "url": url, "headers": headers, "timeout_ms": timeout_ms }))
}

fn ask<T: for<'a> Deserialize<'a>>(request: Value) -> Result<T, Failure> {
    let request = request.to_string();
    // The kernel reads `request` and writes as many bytes as it has said.
    let result = unsafe {
        let mut result = vec![0; effect(request.as_ptr(), request.len())];
        effect_result(result.as_mut_ptr());
        result
    };
    match serde_json::from_slice(&result) {
        Ok(Answer { value: Some(value), .. }) => Ok(value),
        Ok(Answer { error: Some(failure), .. }) => Err(failure),
        _ => Err(Failure { code: "UPSTREAM_UNAVAILABLE".into(), message: "the kernel's answer is none".into() }),
    }
}
