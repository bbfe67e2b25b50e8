//! Patterns with `*` and `?`, as policies, path patterns and fault plans use them.

/// Whether `text` is like `pattern`, in which `*` stands for any characters and `?` for one.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // matched[j]: the pattern read so far matches the first j characters of the text.
    let mut matched = vec![false; text.len() + 1];
    if let Some(empty) = matched.first_mut() {
        *empty = true;
    }
    for sign in pattern {
        matched = advance(&matched, sign, &text);
    }
    matched.last().copied().unwrap_or_default()
}

fn advance(matched: &[bool], sign: char, text: &[char]) -> Vec<bool> {
    let mut next = Vec::with_capacity(matched.len());
    next.push(sign == '*' && matched.first() == Some(&true));
    for ((letter, before), here) in text.iter().zip(matched).zip(matched.iter().skip(1)) {
        let reached = match sign {
            '*' => *here || next.last() == Some(&true),
            '?' => *before,
            _ => *before && sign == *letter,
        };
        next.push(reached);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_know_stars_and_question_marks() {
        for (pattern, text) in
            [("*", ""), ("a*c", "abbbc"), ("a?c", "abc"), ("*.jpg", "x/y.jpg"), ("a**", "a")]
        {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a?c", "ac"), ("a*c", "ab"), ("", "a"), ("A", "a"), ("?", "")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }
}
