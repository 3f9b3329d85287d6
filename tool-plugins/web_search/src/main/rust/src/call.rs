//! What the agent asks for, checked.

use crate::effects::Failure;
use serde_json::{Map, Value};
use std::io::Read;

const QUERY_CHARS_MAX: usize = 400;
const LIMIT: u64 = 8;
pub const LIMIT_MAX: u64 = 50;

pub struct Call {
    pub query: String,
    pub limit: u64,
    /// A language tag such as `fa` or `pt-BR`.
    pub language: Option<String>,
    /// In the form of W3C Trace Context; whatever else a caller calls its trace is no header for others.
    pub traceparent: Option<String>,
}

impl Call {
    pub fn read(mut input: impl Read) -> Result<Call, Failure> {
        let mut bytes = Vec::new();
        let call: Value = match input.read_to_end(&mut bytes) {
            // All JSON here is read from bytes: each other kind of source is a parser of its own in the module.
            Ok(_) => serde_json::from_slice(&bytes).map_err(|_| Failure::bad("the call is no JSON"))?,
            Err(_) => return Err(Failure::bad("there is no call")),
        };
        let none = Map::new();
        let arguments = call["arguments"].as_object().unwrap_or(&none);
        Ok(Call {
            query: query(arguments)?,
            limit: limit(arguments)?,
            language: language(arguments)?,
            traceparent: call["trace_id"].as_str().filter(|id| is_traceparent(id)).map(String::from),
        })
    }
}

fn query(arguments: &Map<String, Value>) -> Result<String, Failure> {
    let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default().trim();
    // As the kernel counts them.
    match query.encode_utf16().count() {
        1..=QUERY_CHARS_MAX => Ok(query.into()),
        _ => Err(Failure::bad("argument 'query' must have 1 to 400 characters")),
    }
}

fn limit(arguments: &Map<String, Value>) -> Result<u64, Failure> {
    match arguments.get("limit") {
        None | Some(Value::Null) => Ok(LIMIT),
        Some(given) => given
            .as_u64()
            .filter(|limit| (1..=LIMIT_MAX).contains(limit))
            .ok_or_else(|| Failure::bad("argument 'limit' must be a whole number from 1 to 50")),
    }
}

fn language(arguments: &Map<String, Value>) -> Result<Option<String>, Failure> {
    match arguments.get("language") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(tag)) if is_language(tag) => Ok(Some(tag.clone())),
        Some(_) => Err(Failure::bad("argument 'language' must be a language tag such as en, fa or pt-BR")),
    }
}

fn is_language(tag: &str) -> bool {
    let (language, region) = tag.split_once('-').unwrap_or((tag, "00"));
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && (2..=8).contains(&region.len())
        && region.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_traceparent(id: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let parts: Vec<&str> = id.split('-').collect();
    parts.iter().map(|part| part.len()).eq([2, 32, 16, 2]) && parts.into_iter().all(is_hex)
}
