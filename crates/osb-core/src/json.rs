use serde_json::{Map, Number, Value};

/// Whether two values mean the same in JSON (OSB 2.17, "Provisioning": an identical request). The order of keys does
/// not matter, nor how a number is written: `1`, `1.0` and `1e0` are one number. The order of an array does.
pub fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(a), Value::Object(b)) => same_object(a, b),
        _ => a == b,
    }
}

pub(crate) fn same_object(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_json(a, b)))
}

fn same_number(a: &Number, b: &Number) -> bool {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a == b,
        _ => false,
    }
}

/// The number as an integer, if it is one, however it is written.
fn whole(number: &Number) -> Option<i128> {
    if let Some(integer) = number.as_i128() {
        return Some(integer);
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 2_f64.powi(100))?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the value is whole and far inside the range of an i128"
    )]
    Some(float as i128)
}
